package config

import (
	"net"
	"os"
	"strconv"
	"time"

	"github.com/headgate/headgate/gateway/auth"
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
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		l.fail("listen", "use a port from 1 to 65535, or 0 for a free one, not "+strconv.Quote(port))
		return
	}
	if auth.CheckListen(net.JoinHostPort(host, port), l.cfg.Token != "") != nil {
		l.fail("listen", "other machines could reach this address, and nothing asks them who they are: guard it with --token-file FILE or "+
			EnvName("token")+", or listen on 127.0.0.1:"+port)
	}
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
