package conform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
)

const (
	maxList   = 8 << 20
	maxListed = 10000
)

// ErrFetch means that an address did not give a package.
var ErrFetch = errors.New("no package at this address")

// Fetch gets one address: a package, or a JSON list of the addresses of
// packages, which may be relative. It returns the addresses of the packages. Only
// the host that was named is ever asked, redirects and lists included.
func Fetch(ctx context.Context, client *http.Client, address string) ([]string, error) {
	base, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	res, err := get(ctx, client, base)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind != "application/json" && !strings.HasSuffix(base.Path, ".json") {
		return []string{address}, nil
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxList+1))
	if err != nil {
		return nil, fmt.Errorf("list of packages: %w", err)
	}
	var list []string
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&list); err != nil || len(b) > maxList {
		return nil, fmt.Errorf("%w: JSON, but no list of addresses (of at most %d octets)", ErrFetch, maxList)
	}
	if len(list) > maxListed {
		return nil, fmt.Errorf("%w: the list has more than %d addresses", ErrFetch, maxListed)
	}
	for i, ref := range list {
		u, err := base.Parse(ref)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme {
			return nil, fmt.Errorf("%w: address %d of the list is of another host", ErrFetch, i+1)
		}
		list[i] = u.String()
	}
	return list, nil
}

// Download gets one package into a new file in dir, of at most so many octets.
// The caller removes it.
func Download(ctx context.Context, client *http.Client, address, dir string, most int64) (name string, err error) {
	u, err := parseAddress(address)
	if err != nil {
		return "", err
	}
	res, err := get(ctx, client, u)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	f, err := os.CreateTemp(dir, "luutru-conform-*")
	if err != nil {
		return "", fmt.Errorf("temporary file: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(res.Body, most+1))
	if err == nil && n > most {
		err = fmt.Errorf("%w: larger than %d octets", ErrFetch, most)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("download: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// IsAddress reports whether an argument is one of the web.
func IsAddress(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

func parseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: not an http or https address", ErrFetch)
	}
	return u, nil
}

func get(ctx context.Context, client *http.Client, u *url.URL) (*http.Response, error) {
	own := *client
	own.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if len(via) > 5 || next.URL.Host != u.Host || next.URL.Scheme != u.Scheme {
			return fmt.Errorf("%w: it points to another host", ErrFetch)
		}
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	req.Header.Set("Accept", "application/zip, application/x-tar, application/json")
	res, err := own.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFetch, err)
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, fmt.Errorf("%w: answer %d", ErrFetch, res.StatusCode)
	}
	return res, nil
}
