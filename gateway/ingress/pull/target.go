package pull

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/gateway/namespace"
)

// Target is an entity of a namespace, and what opens it.
type Target struct {
	Host   string // of the namespace, with the port where one is given
	Entity string // its path: a queue, a subscription of a topic, an event hub
	// Connection is a connection string without an EntityPath; empty when the
	// gateway's identity opens the entity.
	Connection string
	// Right names what opens the entity, for those who have to grant it.
	Right string

	plain   bool     // without TLS, as emulators speak
	sockets bool     // AMQP over WebSockets
	caFile  string   // the certificates to trust instead of the system's; may be empty
	key     string   // the name of the shared access key, if there is one
	secrets []string // what no error may tell
}

// ReadTarget reads the settings connectionString, entityPath and endpointUri:
// either a connection string, whose EntityPath serves when there is no
// entityPath, or the URI of a namespace for the gateway's identity; and how to
// get there, by transport and caFile.
func ReadTarget(in *Settings) Target {
	text, entity, uri := in.Text("connectionString"), in.Text("entityPath"), in.Text("endpointUri")
	var t Target
	switch {
	case text == "" && uri == "":
		in.Refuse("connectionString", "is required; or set endpointUri, for the gateway's identity")
	case text != "" && uri != "":
		in.Refuse("endpointUri", "stands beside a connectionString, which names the namespace already; remove one of them")
	case uri != "":
		t.Host = readHost(in, "endpointUri", uri)
	default:
		t = readConnection(in, text)
	}
	t.readTransport(in)
	switch own := t.Entity; {
	case own != "" && entity != "" && !strings.EqualFold(own, entity) && !hasFoldPrefix(entity, own+"/"):
		in.Refuse("entityPath", "is not within the EntityPath of the connectionString, which opens that entity alone; remove one of them")
	case entity != "":
		t.Entity = entity
	}
	return t
}

// readTransport reads the settings transport and caFile. The file is not looked
// into: it may be there later.
func (t *Target) readTransport(in *Settings) {
	t.sockets = in.OneOf("transport", "amqp", "webSockets") == "webSockets"
	if t.caFile = in.Text("caFile"); t.caFile != "" && t.plain {
		in.Refuse("caFile", "stands beside UseDevelopmentEmulator=true, which means no TLS; remove one of them")
	}
}

// Check looks into what the settings name besides the namespace: the caFile. Its
// error is a [*SettingError].
func (t *Target) Check() error {
	if t.caFile == "" {
		return nil
	}
	if _, err := namespace.ReadRoots(t.caFile); err != nil {
		return &SettingError{Field: "caFile", Reason: "cannot be used: " + errors.Unwrap(err).Error()}
	}
	return nil
}

// Dial connects to the namespace, by the TLS of o.
func (t *Target) Dial(ctx context.Context, o Options) (net.Conn, error) {
	dialer := &namespace.Dialer{Host: t.Host, Plain: t.plain, WebSockets: t.sockets, CAFile: t.caFile, TLS: o.TLS}
	return dialer.Dial(ctx)
}

// CheckEntity refuses the path of an entity that cannot be one.
func CheckEntity(in *Settings, field, path string) {
	switch {
	case len(path) > 260:
		in.Refuse(field, "is longer than 260 characters, the most that a path may have")
	case strings.ContainsAny(path, `?#\*$@`) || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		in.Refuse(field, "is not the name of an entity: it holds a character that none has")
	case strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") || strings.Contains(path, "//"):
		in.Refuse(field, "is not the name of an entity: check its slashes")
	}
}

// Reached says, once there is a connection, to what it is and by what right.
func (t *Target) Reached() string {
	how, by := " over TLS", "the gateway's identity"
	if t.plain {
		how = " without TLS"
	}
	if t.sockets {
		how += ", by WebSockets"
	}
	switch {
	case t.Connection == "":
	case t.key != "":
		by = "the shared access key " + t.clean(t.key)
	default:
		by = "a shared access signature"
	}
	return "connected to " + t.Origin() + how + ", signed in with " + by
}

// Origin is the entity as a URI, without secrets.
func (t *Target) Origin() string { return "sb://" + t.Host + "/" + t.Entity }

// Hide adds what no error may tell.
func (t *Target) Hide(secrets ...string) { t.secrets = append(t.secrets, secrets...) }

func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// readHost takes the host from the URI of a namespace.
func readHost(in *Settings, field, uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "sb" || u.Hostname() == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || strings.Contains(uri, "#") {
		where := "must be"
		if field == "connectionString" {
			where = "has an Endpoint that is not"
		}
		in.Refuse(field, where+" like sb://NAMESPACE.servicebus.windows.net, with nothing after the host")
		return ""
	}
	return strings.TrimSuffix(u.Host, ":")
}

// readConnection reads a connection string. What is wrong with it is said
// without a word of it: a part that is in the wrong place may be a secret.
func readConnection(in *Settings, text string) Target {
	refuse := func(reason string) Target {
		in.Refuse("connectionString", reason+"; copy it whole from the shared access policies of the namespace or the entity")
		return Target{}
	}
	parts := map[string]string{}
	for i, part := range strings.Split(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := parts[name]; !ok || twice {
			return refuse("is not a connection string: look at its part " + strconv.Itoa(i+1) + ", which must be Key=Value with a key of its own")
		}
		parts[name] = strings.TrimSpace(value)
	}
	key, signature := parts["sharedaccesskey"], parts["sharedaccesssignature"]
	opener, name := "SharedAccessSignature="+signature, ""
	switch {
	case parts["endpoint"] == "":
		return refuse("has no Endpoint=sb://…")
	case signature != "":
	case parts["sharedaccesskeyname"] == "" || key == "":
		return refuse("needs SharedAccessKeyName and SharedAccessKey, or SharedAccessSignature (for an identity, set endpointUri instead)")
	default:
		name = parts["sharedaccesskeyname"]
		opener = "SharedAccessKeyName=" + name + ";SharedAccessKey=" + key
	}
	t := Target{Host: readHost(in, "connectionString", parts["endpoint"]), Entity: parts["entitypath"], key: name}
	t.Connection = "Endpoint=sb://" + t.Host + ";" + opener
	if emulated, given := parts["usedevelopmentemulator"]; given {
		on, err := strconv.ParseBool(emulated)
		if err != nil {
			return refuse("has a UseDevelopmentEmulator that is neither true nor false")
		}
		if on {
			t.Connection += ";UseDevelopmentEmulator=true"
			t.plain = true
		}
	}
	t.Hide(secretsOf(key, signature)...)
	return t
}

// secretsOf returns the forms in which a service might echo a secret.
func secretsOf(key, signature string) []string {
	secrets := []string{key, url.QueryEscape(key), signature}
	for pair := range strings.SplitSeq(signature, "&") {
		if name, value, _ := strings.Cut(pair, "="); strings.HasSuffix(name, "sig") {
			secrets = append(secrets, value)
			if plain, err := url.QueryUnescape(value); err == nil {
				secrets = append(secrets, plain)
			}
		}
	}
	// Shorter than 4 bytes it is none, but would garble every text.
	return slices.DeleteFunc(secrets, func(form string) bool { return len(form) < 4 })
}
