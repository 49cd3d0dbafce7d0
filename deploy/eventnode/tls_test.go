package eventnode_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/projections"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"golang.org/x/crypto/bcrypt"

	"aftercare/deploy/eventnode"
)

// writeCertificate makes a certificate for 127.0.0.1 that is its own authority and writes it to dir.
func writeCertificate(tb testing.TB, dir string, serial int64) (certificate, key string, pool *x509.CertPool) {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "event node"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		tb.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "node.crt"), filepath.Join(dir, "node.key")
	for path, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: encoded},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return certificate, key, pool
}

func hashed(tb testing.TB, password string) string {
	tb.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		tb.Fatal(err)
	}
	return string(h)
}

// encrypted returns o for a node with a certificate, and the authority of it.
func encrypted(tb testing.TB, o eventnode.Options) (eventnode.Options, *x509.CertPool) {
	tb.Helper()
	var pool *x509.CertPool
	o.CertificateFile, o.KeyFile, pool = writeCertificate(tb, tb.TempDir(), 1)
	return o, pool
}

// login returns a client of n with default credentials, if user is not empty.
func login(tb testing.TB, n *eventnode.Node, pool *x509.CertPool, user, password string) *esdb.Client {
	tb.Helper()
	address := n.URL()
	if user != "" {
		address = strings.Replace(address, "://", "://"+url.UserPassword(user, password).String()+"@", 1)
	}
	config, err := esdb.ParseConnectionString(address)
	if err != nil {
		tb.Fatal(err)
	}
	config.Logger, config.RootCAs = esdb.NoopLogging(), pool
	c, err := esdb.NewClient(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func appendAs(ctx context.Context, c *esdb.Client, credentials *esdb.Credentials) error {
	_, err := c.AppendToStream(ctx, "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}, Authenticated: credentials}, event("x"))
	return err
}

func TestOnlyUsersMayCall(t *testing.T) {
	t.Parallel()
	o, pool := encrypted(t, eventnode.Options{Users: map[string]string{"admin": hashed(t, "secret"), "reader": hashed(t, "other")}})
	n := start(t, o)
	none, reader := (*esdb.Credentials)(nil), &esdb.Credentials{Login: "reader", Password: "other"}
	for name, tc := range map[string]struct {
		user, password string
		perCall        *esdb.Credentials
		want           esdb.ErrorCode
	}{
		"default":                    {"admin", "secret", none, fine},
		"wrong default":              {"admin", "other", none, esdb.ErrorCodeUnauthenticated},
		"unknown":                    {"nobody", "secret", none, esdb.ErrorCodeUnauthenticated},
		"none":                       {"", "", none, esdb.ErrorCodeUnauthenticated},
		"for the call":               {"", "", reader, fine},
		"for the call over a wrong":  {"admin", "other", reader, fine},
		"wrong for the call":         {"admin", "secret", &esdb.Credentials{Login: "reader", Password: "secret"}, esdb.ErrorCodeUnauthenticated},
		"a password with a colon in": {"admin", "secret:", none, esdb.ErrorCodeUnauthenticated},
		"an empty password":          {"admin", "", none, esdb.ErrorCodeUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := login(t, n, pool, tc.user, tc.password)
			if err := appendAs(t.Context(), c, tc.perCall); code(err) != tc.want {
				t.Errorf("append: got %v, want code %v", err, tc.want)
			}
			stream, err := c.ReadAll(t.Context(), esdb.ReadAllOptions{From: esdb.Start{}, Authenticated: tc.perCall}, 1)
			if err == nil {
				_, err = stream.Recv()
				stream.Close()
			}
			if tc.want != fine && code(err) != tc.want {
				t.Errorf("read: got %v, want code %v", err, tc.want)
			}
		})
	}
}

func TestEncryptionWithoutUsersServesEverybody(t *testing.T) {
	t.Parallel()
	o, pool := encrypted(t, eventnode.Options{})
	n := start(t, o)
	for _, user := range []string{"", "anybody"} {
		if err := appendAs(t.Context(), login(t, n, pool, user, "x"), nil); err != nil {
			t.Errorf("as %q: %v", user, err)
		}
	}
	if err := appendAs(t.Context(), login(t, n, x509.NewCertPool(), "", ""), nil); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("got %v, want that the client does not trust the certificate", err)
	}
	plain := dial(t, "esdb://"+n.Addr()+"?tls=false&maxDiscoverAttempts=1")
	if err := appendAs(t.Context(), plain, nil); err == nil {
		t.Error("a client without encryption is served")
	}
}

func TestAConfigurationOfOnesOwn(t *testing.T) {
	t.Parallel()
	certificate, key, pool := writeCertificate(t, t.TempDir(), 1)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	n := start(t, eventnode.Options{TLS: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}})
	if err := appendAs(t.Context(), login(t, n, pool, "", ""), nil); err != nil {
		t.Error(err)
	}
}

// TestPasswordsAreNotHashedOnEveryCall makes more calls than bcrypt could check in the time.
func TestPasswordsAreNotHashedOnEveryCall(t *testing.T) {
	t.Parallel()
	costly, err := bcrypt.GenerateFromPassword([]byte("secret"), 12)
	if err != nil {
		t.Fatal(err)
	}
	o, pool := encrypted(t, eventnode.Options{Users: map[string]string{"admin": string(costly)}})
	c := login(t, start(t, o), pool, "admin", "secret")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range 500 {
		if err := appendAs(ctx, c, nil); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
}

// TestWhoTriesManyPasswordsHoldsUpNobodyElsewhere lets one address try many users while another calls for the first time.
func TestWhoTriesManyPasswordsHoldsUpNobodyElsewhere(t *testing.T) {
	t.Parallel()
	costly, err := bcrypt.GenerateFromPassword([]byte("secret"), 7)
	if err != nil {
		t.Fatal(err)
	}
	o, pool := encrypted(t, eventnode.Options{Users: map[string]string{"admin": string(costly)}})
	n := start(t, o)
	metrics := "https://" + n.Addr() + "/metrics"
	elsewhere := browser(t, pool)
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	elsewhere.Transport.(*http.Transport).DialContext = dialer.DialContext //nolint:forcetypeassert // what browser makes
	if c, err := dialer.DialContext(t.Context(), "tcp", n.Addr()); err != nil {
		t.Skipf("no second address of this machine: %v", err)
	} else if err := c.Close(); err != nil {
		t.Error(err)
	}
	const tries = 40
	answers := make(chan int, tries)
	for i := range tries {
		go func() {
			status := 0
			defer func() { answers <- status }()
			status = get(t, elsewhere, http.MethodGet, metrics, "user"+strconv.Itoa(i), "x").status
		}()
	}
	first := <-answers
	if got := get(t, browser(t, pool), http.MethodGet, metrics, "admin", "secret").status; got != http.StatusOK {
		t.Errorf("got %d", got)
	}
	if meanwhile := len(answers); meanwhile > tries/2 {
		t.Errorf("%d others were answered first", meanwhile)
	}
	for range tries - 1 {
		first = min(first, <-answers)
	}
	if first != http.StatusUnauthorized {
		t.Errorf("got %d for an unknown user", first)
	}
}

func TestUsersFileIsReadAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "users")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# who may call\n\nadmin:" + hashed(t, "secret") + "\nleaves:" + hashed(t, "x") + "\n")
	var now atomic.Int64
	o, pool := encrypted(t, eventnode.Options{UsersFile: file, Now: func() time.Time { return time.Unix(now.Add(2), 0) }})
	n := start(t, o)
	c, leaves := login(t, n, pool, "admin", "secret"), &esdb.Credentials{Login: "leaves", Password: "x"}
	expect := func(when string, want esdb.ErrorCode, as *esdb.Credentials) {
		t.Helper()
		if err := appendAs(t.Context(), c, as); code(err) != want {
			t.Errorf("%s: got %v, want code %v", when, err, want)
		}
	}
	expect("at first", fine, nil)
	expect("at first", fine, leaves)
	write("admin:" + hashed(t, "changed") + "\n")
	expect("after the change", esdb.ErrorCodeUnauthenticated, nil)
	expect("after the change", fine, &esdb.Credentials{Login: "admin", Password: "changed"})
	expect("after the change", esdb.ErrorCodeUnauthenticated, leaves)
	write("admin\n")
	expect("with a broken file", fine, &esdb.Credentials{Login: "admin", Password: "changed"})
}

func TestARenewedCertificateIsUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate, key, pool := writeCertificate(t, dir, 1)
	n := start(t, eventnode.Options{CertificateFile: certificate, KeyFile: key})
	serial := func(pool *x509.CertPool) (int64, error) {
		d := &tls.Dialer{Config: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
		conn, err := d.DialContext(t.Context(), "tcp", n.Addr())
		if err != nil {
			return 0, err
		}
		defer func() { _ = conn.Close() }()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
	}
	if got, err := serial(pool); got != 1 {
		t.Fatalf("got %d and %v", got, err)
	}
	_, _, renewed := writeCertificate(t, dir, 1<<40) // of another size: file times may be coarse
	if got, err := serial(renewed); got != 1<<40 {
		t.Errorf("got %d and %v", got, err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if got, err := serial(renewed); got != 1<<40 {
		t.Errorf("without the key: got %d and %v, want the one in use", got, err)
	}
}

func TestImpossibleSecurityIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate, key, _ := writeCertificate(t, dir, 1)
	users := map[string]string{"admin": hashed(t, "x")}
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tc := range map[string]struct {
		o    eventnode.Options
		want string
	}{
		"users without TLS":  {eventnode.Options{Users: users}, "users need TLS"},
		"no key":             {eventnode.Options{CertificateFile: certificate}, "both a certificate and its key"},
		"no certificate":     {eventnode.Options{KeyFile: key}, "both a certificate and its key"},
		"swapped":            {eventnode.Options{CertificateFile: key, KeyFile: certificate}, "TLS: "},
		"twice":              {eventnode.Options{CertificateFile: certificate, KeyFile: key, TLS: &tls.Config{MinVersion: tls.VersionTLS13}}, "configured twice"},
		"users twice":        {eventnode.Options{CertificateFile: certificate, KeyFile: key, Users: users, UsersFile: "x"}, "given twice"},
		"nobody":             {eventnode.Options{CertificateFile: certificate, KeyFile: key, Users: map[string]string{}}, "there are no users"},
		"plain password":     {eventnode.Options{CertificateFile: certificate, KeyFile: key, Users: map[string]string{"a": "secret"}}, `user "a": not a bcrypt hash`},
		"file missing":       {eventnode.Options{CertificateFile: certificate, KeyFile: key, UsersFile: filepath.Join(dir, "none")}, "no such file"},
		"file empty":         {eventnode.Options{CertificateFile: certificate, KeyFile: key, UsersFile: file("empty", "# nobody\n")}, "there are no users"},
		"file with MD5":      {eventnode.Options{CertificateFile: certificate, KeyFile: key, UsersFile: file("md5", "\nadmin:$apr1$x$y\n")}, "md5:2: want NAME:HASH"},
		"file without names": {eventnode.Options{CertificateFile: certificate, KeyFile: key, UsersFile: file("bare", "$2y$05$abc\n")}, "bare:1: want NAME:HASH"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.o.InMemory = true
			n, err := eventnode.Open(tc.o)
			if err == nil {
				_ = n.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestNobodyIsHeardBeforeCredentials(t *testing.T) {
	t.Parallel()
	o, pool := encrypted(t, eventnode.Options{Users: map[string]string{"admin": hashed(t, "secret")}})
	n := start(t, o)
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	transport.Protocols.SetHTTP2(true)
	defer transport.CloseIdleConnections()
	for _, method := range []string{streams.Streams_Delete_FullMethodName, projections.Projections_Create_FullMethodName} {
		body, said := io.Pipe() // never says anything
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+n.Addr()+method, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if got := res.Header.Get("Grpc-Status"); got != "16" {
			t.Errorf("%s: got status %s, want UNAUTHENTICATED", method, got)
		}
		cancel()
		_, _ = res.Body.Close(), said.Close()
	}
}
