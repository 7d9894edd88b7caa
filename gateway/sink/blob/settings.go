package blob

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/headgate/headgate/gateway/namespace"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/azure"
)

const (
	usualBytes, leastBytes, mostBytes = 64 << 20, 1 << 20, 256 << 20

	usualAge, mostAge = 10 * time.Second, 30 * time.Minute
)

// settings are those of an endpoint, ready for use.
type settings struct {
	target
	prefix   string // with a slash at its end, or empty
	maxBytes int
	maxAge   time.Duration
}

// target is a container, and how to get in.
type target struct {
	url     string // with the signature, if there is one
	origin  string // without: what errors name
	account string // of the key
	key     string // empty: a signature in the URL, or an identity
	signed  bool
	caFile  string // the certificates to trust instead of the system's; may be empty
}

// parse reads settings. A caFile is looked into on request alone.
func parse(raw json.RawMessage, look bool) (settings, error) {
	in := sink.ReadSettings(raw)
	connection, name, uri := in.Text("connectionString"), in.Text("container"), in.Text("containerUri")
	var s settings
	switch {
	case connection == "" && uri == "":
		in.Refuse("containerUri", "or connectionString is required")
	case connection != "" && uri != "":
		in.Refuse("containerUri", "and connectionString exclude each other")
	case connection != "":
		s.target = parseConnection(in, connection, name)
	case name != "":
		in.Refuse("container", "belongs to connectionString; a containerUri names its container itself")
	default:
		s.target = parseContainer(in, "containerUri", uri)
	}
	if s.caFile = in.Text("caFile"); look && s.caFile != "" {
		if _, err := namespace.ReadRoots(s.caFile); err != nil {
			in.Refuse("caFile", "cannot be used: "+errors.Unwrap(err).Error())
		}
	}
	s.prefix = parsePrefix(in, in.Text("prefix"))
	s.maxBytes = int(in.Integer("maxBytes", usualBytes, leastBytes, mostBytes))
	s.maxAge = parseAge(in, in.Text("maxAge"))
	if err := in.Err(); err != nil {
		return settings{}, err
	}
	return s, nil
}

func parseAge(in *sink.Settings, text string) time.Duration {
	if text == "" {
		return usualAge
	}
	age, err := time.ParseDuration(text)
	if err != nil || age < 0 || age > mostAge {
		in.Refuse("maxAge", `must be a duration from "0s" to "30m", such as "10s"`)
	}
	return age
}

// parsePrefix takes names of directories, as every reader of the lake takes them.
func parsePrefix(in *sink.Settings, text string) string {
	if text == "" {
		return ""
	}
	text = strings.TrimSuffix(text, "/")
	for name := range strings.SplitSeq(text, "/") {
		if name == "" || strings.HasSuffix(name, ".") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune(`\?#%*<>|":`, r) || r == 0x7f }) {
			in.Refuse("prefix", "must be names of directories with / between them, none of which is empty, ends with a dot or holds one of \\?#%*<>|\":")
			break
		}
	}
	if len(text) > 500 {
		in.Refuse("prefix", "is longer than 500 bytes")
	}
	return text + "/"
}

// parseContainer reads the URL of a container, which may carry a signature.
func parseContainer(in *sink.Settings, field, text string) target {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		in.Refuse(field, "is not a URL: check its scheme, host, port and escapes")
		return target{}
	case u.Scheme != "http" && u.Scheme != "https":
		in.Refuse(field, "must begin with https:// (or http:// for a local emulator)")
		return target{}
	case u.Hostname() == "":
		in.Refuse(field, "names no host")
		return target{}
	case u.User != nil || strings.Contains(text, "#"):
		in.Refuse(field, "must be https://ACCOUNT.blob.core.windows.net/CONTAINER, and a signature behind it if there is one")
		return target{}
	case strings.Trim(u.Path, "/") == "":
		in.Refuse(field, "names no container: https://ACCOUNT.blob.core.windows.net/CONTAINER")
		return target{}
	}
	signed := u.Query().Get("sig") != ""
	switch {
	case u.RawQuery != "" && !signed:
		in.Refuse(field, "has a query that is no shared access signature: it lacks sig")
	case !signed && u.Scheme == "http":
		in.Refuse(field, "needs https:// or a shared access signature; a token is never sent over plain HTTP")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return target{url: u.String(), origin: u.Scheme + "://" + u.Host + u.EscapedPath(), signed: signed}
}

// parseConnection reads the connection string of an account.
func parseConnection(in *sink.Settings, text, name string) target {
	const field = "connectionString"
	if name == "" {
		in.Refuse("container", "is required with a connectionString")
		return target{}
	}
	if !isContainer(name) {
		in.Refuse("container", "must be 3 to 63 small letters, digits and single hyphens, and begin and end with none")
		return target{}
	}
	values := map[string]string{}
	for pair := range strings.SplitSeq(text, ";") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok && strings.TrimSpace(pair) != "" {
			in.Refuse(field, "must be Key=Value pairs with ; between them")
			return target{}
		}
		values[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	account := values["accountname"]
	service := values["blobendpoint"]
	if service == "" {
		if account == "" {
			in.Refuse(field, "has neither AccountName nor BlobEndpoint")
			return target{}
		}
		service = cmp.Or(values["defaultendpointsprotocol"], "https") + "://" + account + ".blob." + cmp.Or(values["endpointsuffix"], "core.windows.net")
	}
	service = strings.TrimSuffix(service, "/") + "/" + name
	key, signature := values["accountkey"], strings.TrimPrefix(values["sharedaccesssignature"], "?")
	switch {
	case key != "" && account != "":
		if _, err := base64.StdEncoding.DecodeString(key); err != nil {
			in.Refuse(field, "has an AccountKey that is not base64; copy it again")
		}
		t := parseContainer(in, field, service+"?sig=none") // the key does what a signature would
		t.url, t.account, t.key, t.signed = t.origin, account, key, false
		return t
	case signature != "":
		return parseContainer(in, field, service+"?"+signature)
	}
	in.Refuse(field, "has neither AccountName and AccountKey nor SharedAccessSignature")
	return target{}
}

func isContainer(name string) bool {
	if len(name) < 3 || len(name) > 63 || strings.Contains(name, "--") || name[0] == '-' || name[len(name)-1] == '-' {
		return name == "$root"
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' })
}

// connect returns a client for the container, which tries each call once.
func (t *target) connect(o Options) (*container.Client, *azure.Transport, error) {
	transport := azure.NewTransport(lanes, azure.Trusting(t.caFile))
	options := &container.ClientOptions{ClientOptions: azcore.ClientOptions{
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: cmp.Or(o.UserAgent, "headgate")},
		Transport: transport,
	}}
	client, err := t.open(o.Credential, options)
	return client, transport, err
}

func (t *target) open(identity azcore.TokenCredential, o *container.ClientOptions) (*container.Client, error) {
	switch {
	case t.key != "":
		shared, err := blob.NewSharedKeyCredential(t.account, t.key)
		if err != nil {
			return nil, &sink.SettingError{Field: "connectionString", Reason: "has an AccountKey that is not base64; copy it again"}
		}
		return container.NewClientWithSharedKeyCredential(t.url, shared, o)
	case t.signed:
		return container.NewClientWithNoCredential(t.url, o)
	}
	identity, err := azure.Identity(identity, "containerUri")
	if err != nil {
		return nil, err
	}
	return container.NewClient(t.url, identity, o)
}

// wrap says which container err is about.
func (t *target) wrap(err error) error { return fmt.Errorf("PUT %s: %w", t.origin, err) }
