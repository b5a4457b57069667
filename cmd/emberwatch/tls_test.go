package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes cert.pem and key.pem for a name into a folder, signed by nobody but themselves.
func certificate(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	writeFile(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// TestTLSOfTheDaemon: the command line comes over the loopback address and expects the certificate of the public one;
// whoever speaks no TLS is told of in the log, every line of which is JSON, warnings of the start too.
func TestTLSOfTheDaemon(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir, "ember.example")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String() // the command line has to find it in the configuration
	taken.Close()
	config := func(name, public string) string {
		return writeFile(t, filepath.Join(dir, name), "version: 1\nhttp: {listen: \""+address+"\", tls: {cert: cert.pem, key: key.pem}"+public+"}\n"+
			"notifiers: [{type: command, name: siren, run: [/nowhere/siren]}]\n")
	}
	cfg := config("named.yml", ", public_url: \"https://ember.example\"")
	d := start(t, launch{config: cfg, data: filepath.Join(dir, "data")})

	ask := func(cfg string, env ...string) (string, error) {
		cmd := exec.Command("emberwatch", "--config", cfg, "incidents", "list")
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	trusting := "SSL_CERT_FILE=" + filepath.Join(dir, "cert.pem")
	if out, err := ask(cfg, trusting); err != nil || !strings.Contains(out, "all is calm") {
		t.Errorf("with the public address: %v: %s", err, out)
	}
	for what, out := range map[string]func() (string, error){
		"without the public address": func() (string, error) { return ask(config("nameless.yml", ""), trusting) },
		"without the authority":      func() (string, error) { return ask(cfg) },
	} {
		if got, err := out(); err == nil || !strings.Contains(got, "--server https://") || !strings.Contains(got, "SSL_CERT_FILE") {
			t.Errorf("%s: %v: %s", what, err, got)
		}
	}

	if res, err := http.Get("http://" + address); err == nil {
		res.Body.Close()
	}
	eventually(t, "the handshake in the log", func() bool { return strings.Contains(d.log.String(), "TLS handshake error") })
	d.stop(t)
	if !strings.Contains(d.log.String(), "there is no program /nowhere/siren") {
		t.Error("the warning is not in the log")
	}
	for line := range strings.Lines(d.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

// TestACertificateThatCannotBeLoaded is told by check, and by run before it says that it runs.
func TestACertificateThatCannotBeLoaded(t *testing.T) {
	dir := t.TempDir()
	cfg := writeFile(t, filepath.Join(dir, "emberwatch.yml"), "version: 1\nhttp: {listen: \"127.0.0.1:0\", tls: {cert: nope.pem, key: nope.key}}\n")
	if code, out, _ := invoke(t, "check", cfg); code != exitProblems || !strings.Contains(out, "http.tls: certificate and key: open "+filepath.Join(dir, "nope.pem")+": no such file") {
		t.Errorf("check: exit code %d\n%s", code, out)
	}
	if code, _, errs := invoke(t, "--config", cfg, "--data", filepath.Join(dir, "data"), "run"); code != exitUsage || strings.Contains(errs, "running") {
		t.Errorf("run: exit code %d\n%s", code, errs)
	}
}
