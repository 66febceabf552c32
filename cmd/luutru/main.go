// Luutru is an archive of closed electronic dossiers: the server, its client
// and the tools to check both, in one program. See luutru --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, env{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: time.Now, getenv: os.Getenv}, os.Args[1:])
	stop()
	os.Exit(code)
}
