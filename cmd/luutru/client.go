package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/luutru/luutru/api"
	"github.com/luutru/luutru/archive"
)

// client returns a client of the server that flags, environment and
// configuration name, in this order.
func (r *root) client() (*api.Client, error) {
	c, err := r.loadConfig()
	if err != nil {
		return nil, err
	}
	url := cmp.Or(r.server, r.getenv("LUUTRU_SERVER"), c.Server)
	if url == "" {
		return nil, usagef("chưa biết máy chủ: --server, LUUTRU_SERVER hoặc cấu hình · no server: --server, LUUTRU_SERVER or the configuration")
	}
	token := r.getenv("LUUTRU_TOKEN")
	if file := cmp.Or(r.tokenFile, c.TokenFile); r.tokenFile != "" || token == "" && file != "" {
		if token, err = secret(file); err != nil {
			return nil, usageError{err}
		}
	}
	out := &api.Client{URL: url, Token: token}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, usageError{err}
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, usagef("%s: no certificates", c.CAFile)
		}
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		out.HTTP = &http.Client{Transport: t}
	}
	return out, nil
}

// terminal reports whether what is written there is seen by somebody at once.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// bar returns a progress bar on a terminal, and elsewhere one that shows
// nothing.
func (r *root) bar(max int64, what string, octets bool) *progressbar.ProgressBar {
	if r.json || !terminal(r.stderr) {
		return progressbar.DefaultSilent(max)
	}
	return progressbar.NewOptions64(max, progressbar.OptionSetWriter(r.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(octets), progressbar.OptionShowCount(), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())
}

// saveReceipt writes a receipt beside the others.
func saveReceipt(dir string, receipt *archive.Receipt) error {
	b, err := receipt.Encode()
	if err != nil {
		return err
	}
	return writeFile(fmt.Sprintf("%s/%s.receipt.json", dir, receipt.Dossier), b, 0o644)
}
