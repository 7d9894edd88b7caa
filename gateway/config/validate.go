package config

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// minJournalBytes is the least that holds a few full requests.
const minJournalBytes = 64 << 20

// validate checks what single values cannot tell.
func (l *loader) validate() {
	c := &l.cfg
	if c.Data == "" {
		l.fail("data", "name a directory")
	}
	l.validateListen()
	l.validateTLS()
	if c.Journal.MaxBytes < minJournalBytes {
		l.fail("journal-max-size", "use at least "+FormatBytes(minJournalBytes))
	}
	if _, given := l.where["journal-retain-size"]; !given {
		c.Journal.RetainBytes = min(c.Journal.RetainBytes, c.Journal.MaxBytes)
	}
	if c.Journal.RetainBytes > c.Journal.MaxBytes {
		l.fail("journal-retain-size", "use no more than journal-max-size, "+FormatBytes(c.Journal.MaxBytes))
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		l.fail("log-format", "use text or json")
	}
	if c.DrainTimeout < time.Second {
		l.fail("drain-timeout", "use at least 1s")
	}
}

func (l *loader) validateListen() {
	host, port, err := net.SplitHostPort(l.cfg.Listen)
	if err != nil {
		l.fail("listen", "use HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		l.fail("listen", "use a port from 1 to 65535, or 0 for a free one, not "+strconv.Quote(port))
	} else if !loopback(host) && l.cfg.Token == "" {
		l.fail("listen", "anyone on the network could use it: guard it with --token-file FILE or "+EnvName("token")+
			", or listen on 127.0.0.1:"+strconv.FormatUint(n, 10))
	}
}

// loopback reports whether only this machine can reach host. An empty host is
// every address.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func (l *loader) validateTLS() {
	cert, key := l.cfg.TLSCert, l.cfg.TLSKey
	switch {
	case cert == "" && key == "":
	case cert == "":
		l.fail("tls-key", "needs --tls-cert too")
	case key == "":
		l.fail("tls-cert", "needs --tls-key too")
	default:
		l.readable("tls-cert", cert)
		l.readable("tls-key", key)
	}
}

func (l *loader) readable(name, path string) {
	f, err := os.Open(path)
	if err != nil {
		l.fail(name, "cannot be read: "+reason(err))
		return
	}
	f.Close()
}
