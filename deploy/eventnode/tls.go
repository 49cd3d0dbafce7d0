package eventnode

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// The protocols that TLS connections may agree on.
const (
	protocolGRPC = "h2"
	protocolHTTP = "http/1.1"
)

// tlsConfig returns the configuration that o asks for, or nil.
func tlsConfig(o Options) (*tls.Config, error) {
	switch {
	case o.CertificateFile == "" && o.KeyFile == "" && o.TLS == nil:
		return nil, nil //nolint:nilnil // nothing was asked for
	case o.TLS != nil && (o.CertificateFile != "" || o.KeyFile != ""):
		return nil, errors.New("TLS is configured twice: with files and with a configuration")
	case o.TLS != nil:
		return twoProtocols(o.TLS), nil
	case o.CertificateFile == "" || o.KeyFile == "":
		return nil, errors.New("TLS needs both a certificate and its key")
	}
	files := &certificateFiles{certificate: o.CertificateFile, key: o.KeyFile, logger: o.Logger}
	if err := files.load(); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return twoProtocols(&tls.Config{GetCertificate: files.get, MinVersion: tls.VersionTLS12}), nil
}

// twoProtocols lets clients of gRPC speak HTTP/2 and everybody else HTTP/1. Clients of gRPC offer HTTP/2 alone;
// curl, browsers and Prometheus offer both, and would not find the pages of the node on the gRPC server.
func twoProtocols(base *tls.Config) *tls.Config {
	only := func(c *tls.Config, protocol string) *tls.Config {
		c = c.Clone()
		c.NextProtos = []string{protocol}
		c.GetConfigForClient = nil
		return c
	}
	grpc, http := only(base, protocolGRPC), only(base, protocolHTTP)
	config, custom := grpc.Clone(), base.GetConfigForClient
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		forGRPC, forHTTP := grpc, http
		if custom != nil {
			c, err := custom(hello)
			if err != nil {
				return nil, err
			}
			if c != nil {
				forGRPC, forHTTP = only(c, protocolGRPC), only(c, protocolHTTP)
			}
		}
		if slices.Contains(hello.SupportedProtos, protocolHTTP) {
			return forHTTP, nil
		}
		return forGRPC, nil
	}
	return config
}

// certificateFiles is a certificate that is read again when its files change.
type certificateFiles struct {
	certificate, key string
	logger           *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	stamps [2]fileStamp
}

// fileStamp tells one content of a file from another.
type fileStamp struct {
	modified time.Time
	size     int64
}

func stampOf(path string) (fileStamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileStamp{}, err
	}
	return fileStamp{info.ModTime(), info.Size()}, nil
}

// load reads the files if they changed. After a failure it tries again once they change again.
func (c *certificateFiles) load() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var stamps [2]fileStamp
	for i, path := range []string{c.certificate, c.key} {
		var err error
		if stamps[i], err = stampOf(path); err != nil {
			return err
		}
	}
	if stamps == c.stamps {
		return nil
	}
	c.stamps = stamps
	pair, err := tls.LoadX509KeyPair(c.certificate, c.key)
	if err != nil {
		return err
	}
	c.loaded = &pair
	return nil
}

// get returns the certificate for a handshake: the newest that could be read.
func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if err := c.load(); err != nil {
		c.logger.Error("certificate not read again, the one in use stays", "error", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loaded, nil
}
