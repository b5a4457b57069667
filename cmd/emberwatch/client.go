package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
)

// client speaks to a running daemon.
type client struct {
	base  string
	token string
	actor string
	http  *http.Client
}

// errNoDaemon: nothing answers at the address.
var errNoDaemon = errors.New("no daemon answers")

func serverFlag() cli.Flag {
	return &cli.StringFlag{Name: "server", Usage: "`URL` of the running daemon", EnvVars: []string{"EMBERWATCH_SERVER"}}
}

func serverFlags() []cli.Flag {
	return []cli.Flag{
		serverFlag(),
		&cli.StringFlag{Name: "as", Usage: "`NAME` of who acts, for the audit"},
	}
}

// newClient finds the daemon: --server, else where the configuration has it listen.
func (a *app) newClient(c *cli.Context) (*client, error) {
	base, transport := c.String("server"), http.DefaultTransport
	if base == "" {
		cfg, _, err := Load(c.String("config"))
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		base = "http://" + cfg.HTTP.Listen
		if cfg.HTTP.TLS.Cert != "" {
			base, transport = "https://"+cfg.HTTP.Listen, transportTo(cfg.HTTP.PublicURL)
		}
	}
	if u, err := url.Parse(base); err != nil || u.Host == "" {
		return nil, usage("--server %q: write it like http://127.0.0.1:8080", base)
	}
	return &client{
		base: trimSlash(base), token: os.Getenv("EMBERWATCH_TOKEN"), actor: actorName(c),
		http: &http.Client{Timeout: 5 * time.Minute, Transport: transport},
	}, nil
}

// transportTo expects of the daemon on this machine the certificate that it has for those who come by its public
// address: none is for 127.0.0.1.
func transportTo(public string) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if u, err := url.Parse(public); err == nil {
		t.TLSClientConfig = &tls.Config{ServerName: u.Hostname()}
	}
	return t
}

// actorName is who acts: --as, else the system user.
func actorName(c *cli.Context) string {
	name := c.String("as")
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	return name
}

// do makes a request and decodes the answer into out; an io.Writer gets the body as it is. Answers of 409
// are decoded like those of 200: they say why nothing changed.
func (c *client) do(ctx context.Context, method, path string, body, out any) (status int, err error) {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, r)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Emberwatch-Via", "cli")
	req.Header.Set("X-Emberwatch-Actor", c.actor)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return 0, fmt.Errorf("%w at %s; start it with emberwatch run, or name it with --server", errNoDaemon, c.base)
	}
	if wrong, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return 0, fmt.Errorf("the certificate of the daemon at %s is not trusted: %w; set http.public_url to the name that it is for, or give that with --server https://NAME:PORT; "+
			"of a certificate authority of your own, name the file in the variable SSL_CERT_FILE", c.base, wrong.Err)
	}
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 && res.StatusCode != http.StatusConflict {
		return res.StatusCode, apiError(res)
	}
	if w, ok := out.(io.Writer); ok {
		_, err = io.Copy(w, res.Body)
		return res.StatusCode, err
	}
	return res.StatusCode, json.NewDecoder(res.Body).Decode(out)
}

// apiError makes a sentence of an answer that is no success.
func apiError(res *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	var e struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(b, &e) == nil && e.Error != "" {
		if res.StatusCode == http.StatusBadRequest {
			return &exitError{exitUsage, errors.New(e.Error)}
		}
		return errors.New(e.Error)
	}
	return fmt.Errorf("the daemon answered %s: %s", res.Status, strings.TrimSpace(string(b)))
}
