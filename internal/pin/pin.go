// Package pin is temporary.
package pin

import (
	_ "codeberg.org/go-pdf/fpdf"
	_ "filippo.io/torchwood"
	_ "github.com/ProtonMail/go-crypto/openpgp/v2"
	_ "github.com/blevesearch/bleve/v2"
	_ "github.com/go-fonts/liberation/liberationserifregular"
	_ "github.com/go-fonts/liberation/liberationserifbold"
	_ "github.com/minio/minio-go/v7"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/schollz/progressbar/v3"
	_ "github.com/spf13/cobra"
	_ "github.com/spf13/cobra/doc"
	_ "github.com/versity/versitygw/backend/meta"
	_ "github.com/versity/versitygw/backend/posix"
	_ "github.com/versity/versitygw/embedgw"
	_ "github.com/versity/versitygw/s3api"
	_ "golang.org/x/mod/sumdb/note"
	_ "golang.org/x/mod/sumdb/tlog"
	_ "golang.org/x/term"
	_ "golang.org/x/text/unicode/norm"
)
