package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/luutru/luutru/api"
)

type serveOptions struct {
	*root
	listen, addressFile string
	verbose             bool
}

func newServeCommand(r *root) *cobra.Command {
	o := &serveOptions{root: r}
	cmd := &cobra.Command{
		Use: "serve", Short: "Chạy máy chủ · Run the server", Args: cobra.NoArgs,
		Long: "Chạy máy chủ của kho lưu trữ cho đến khi có Ctrl-C hoặc SIGTERM. Nút và người giữ khóa ở cùng một tiến trình:\n" +
			"ai chiếm được máy này thì có cả hai.\n\n" +
			"Run the archive's server until Ctrl-C or SIGTERM. Node and custodian share one process: whoever has this machine has both.",
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.listen, "listen", "", "địa chỉ nghe, thay cho cấu hình; cổng 0 là cổng bất kỳ\nwhere to listen, instead of the configuration; port 0 is any")
	cmd.Flags().StringVar(&o.addressFile, "address-file", "", "ghi địa chỉ máy chủ vào tệp này khi đã sẵn sàng\nwrite the server's address to this file when it is ready")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "ghi nhật ký mọi yêu cầu\nlog every request")
	return cmd
}

func runServe(ctx context.Context, o *serveOptions) (err error) {
	c, err := o.nodeConfig()
	if err != nil {
		return err
	}
	if o.listen != "" {
		c.Listen = o.listen
	}
	if c.Listen == "" || c.Tokens == "" {
		return usagef(`cấu hình thiếu "listen" hoặc "tokens" · the configuration lacks "listen" or "tokens"`)
	}
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(o.stderr, &slog.HandlerOptions{Level: level}))
	n, err := o.openNode(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	s, err := o.serve(c, n, log)
	if err != nil {
		return err
	}
	if o.addressFile != "" {
		if err := writeFile(o.addressFile, []byte(s.url+"\n"), 0o644); err != nil {
			return errors.Join(err, s.stop())
		}
	}
	o.say("Nút và người giữ khóa ở cùng một tiến trình: ai chiếm được máy này thì có cả hai.\n" +
		"Node and custodian share this process: whoever has this machine has both.")
	o.say("Đang phục vụ tại %[1]s · Serving at %[1]s", s.url)
	return s.wait(ctx, n)
}

// serving is a server that listens.
type serving struct {
	url  string
	api  *api.Server
	http *http.Server
	log  *slog.Logger
	done chan error
}

// serve begins to serve an archive.
func (r *root) serve(c *Config, n *node, log *slog.Logger) (*serving, error) {
	tokens, err := api.OpenTokens(c.Tokens, r.now, log)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	s := &serving{url: "http://" + l.Addr().String(), log: log, done: make(chan error, 1)}
	s.api = api.New(api.Config{Archive: n.archive, Authenticator: tokens, Staging: n.staging, Log: log, Now: r.now})
	s.http = &http.Server{
		Handler: s.api, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	if c.TLSCertificate == "" {
		if c.Production && !loopback(l.Addr()) {
			return nil, errors.Join(usagef("chế độ vận hành thật cần TLS (tls_certificate, tls_key) · production mode needs TLS"), l.Close())
		}
		go func() { s.done <- s.http.Serve(l) }()
		return s, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s.url = "https://" + l.Addr().String()
	s.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	go func() { s.done <- s.http.ServeTLS(l, "", "") }()
	return s, nil
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// wait serves until the context ends, remembers now and then how far the ledger
// is, and clears away the uploads that were given up.
func (s *serving) wait(ctx context.Context, n *node) error {
	tick, sweep := time.NewTicker(time.Minute), time.NewTicker(time.Hour)
	defer tick.Stop()
	defer sweep.Stop()
	for {
		select {
		case err := <-s.done:
			return fmt.Errorf("server: %w", err)
		case <-tick.C:
			if err := n.remember(); err != nil {
				return errors.Join(err, s.stop())
			}
		case <-sweep.C:
			if _, err := n.staging.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("uploads not swept", "error", err) // in an hour again
			}
		case <-ctx.Done():
			return s.stop()
		}
	}
}

// stop lets requests that are being answered come to an end; uploads break off
// and can be resumed.
func (s *serving) stop() error {
	s.api.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	defer s.api.Close()
	return s.http.Shutdown(ctx)
}
