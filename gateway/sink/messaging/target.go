package messaging

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/gateway/namespace"
	"github.com/headgate/headgate/gateway/sink"
)

// Target is an entity of a namespace, and what opens it.
type Target struct {
	Host   string // of the namespace, with the port where one is given
	Entity string // a queue, a topic or an event hub
	// Connection is a connection string without an EntityPath; empty when the
	// gateway's identity opens the entity.
	Connection string

	plain   bool     // without TLS, as the emulators speak
	sockets bool     // AMQP over WebSockets
	caFile  string   // the certificates to trust instead of the system's; may be empty
	key     string   // the name of the shared access key, if there is one
	secrets []string // what no error may tell
}

// maxEntity is how long the path of an entity may be.
const maxEntity = 260

// ReadTarget reads the settings connectionString, entityPath and endpointUri:
// either a connection string, whose EntityPath serves when there is no
// entityPath, or the URI of a namespace for the gateway's identity; and how to
// get there, by transport and caFile.
func ReadTarget(in *sink.Settings) Target {
	text, entity, uri := in.Text("connectionString"), in.Text("entityPath"), in.Text("endpointUri")
	var t Target
	switch {
	case text == "" && uri == "":
		in.Refuse("connectionString", "is required; or set endpointUri, for the gateway's identity")
		return Target{}
	case text != "" && uri != "":
		in.Refuse("endpointUri", "stands beside a connectionString, which names the namespace already; remove one of them")
		return Target{}
	case uri != "":
		t.Host = readHost(in, "endpointUri", "", uri)
	default:
		t = readConnection(in, text)
	}
	t.readTransport(in)
	own := t.Entity
	t.Entity = entity
	switch {
	case entity == "" && own == "":
		in.Refuse("entityPath", "is required, unless the connectionString ends in ;EntityPath=…")
	case entity == "":
		t.Entity = own
		checkEntity(in, "connectionString", "has an EntityPath that ", own)
	case own != "" && !strings.EqualFold(entity, own):
		in.Refuse("entityPath", "is not the EntityPath of the connectionString, which opens that entity alone; remove one of them")
	default:
		checkEntity(in, "entityPath", "", entity)
	}
	return t
}

// Origin is what errors name: the scheme, the host and the entity.
func (t *Target) Origin() string { return "sb://" + t.Host + "/" + t.Entity }

// readTransport reads the settings transport and caFile. The file is not looked
// into: it may be there later.
func (t *Target) readTransport(in *sink.Settings) {
	switch transport := in.Text("transport"); transport {
	case "", "amqp":
	case "webSockets":
		t.sockets = true
	default:
		in.Refuse("transport", "must be amqp or webSockets")
	}
	if t.caFile = in.Text("caFile"); t.caFile != "" && t.plain {
		in.Refuse("caFile", "stands beside UseDevelopmentEmulator=true, which means no TLS; remove one of them")
	}
}

// Check looks into what the settings name besides the namespace: the caFile. Its
// error is a [*sink.SettingError].
func (t *Target) Check() error {
	if t.caFile == "" {
		return nil
	}
	if _, err := namespace.ReadRoots(t.caFile); err != nil {
		return &sink.SettingError{Field: "caFile", Reason: "cannot be used: " + errors.Unwrap(err).Error()}
	}
	return nil
}

func checkEntity(in *sink.Settings, field, subject, entity string) {
	switch {
	case len(entity) > maxEntity:
		in.Refuse(field, subject+"is longer than "+strconv.Itoa(maxEntity)+" characters")
	case strings.ContainsAny(entity, `?#\*$@`) || strings.ContainsFunc(entity, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		in.Refuse(field, subject+"is not the name of an entity: it holds a character that none has")
	case strings.HasPrefix(entity, "/") || strings.HasSuffix(entity, "/") || strings.Contains(entity, "//"):
		in.Refuse(field, subject+"is not the name of an entity: check its slashes")
	}
}

// readHost takes the host from the URI of a namespace.
func readHost(in *sink.Settings, field, subject, uri string) string {
	const want = `must be like sb://NAMESPACE.servicebus.windows.net`
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme != "sb" || u.Hostname() == "":
		in.Refuse(field, subject+want)
		return ""
	case u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || strings.Contains(uri, "#"):
		in.Refuse(field, subject+want+", without anything after the host")
		return ""
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			in.Refuse(field, subject+"has a port that is none")
			return ""
		}
	}
	return strings.TrimSuffix(u.Host, ":")
}

// The keys of connection strings that matter here, in lower case.
const (
	keyEndpoint  = "endpoint"
	keyName      = "sharedaccesskeyname"
	keyKey       = "sharedaccesskey"
	keySignature = "sharedaccesssignature"
	keyEntity    = "entitypath"
	keyEmulator  = "usedevelopmentemulator"
)

// readConnection reads a connection string. What is wrong with it is said
// without a word of it: a part that is in the wrong place may be a secret.
func readConnection(in *sink.Settings, text string) Target {
	const advice = "; copy it whole from the namespace's or the entity's shared access policies"
	refuse := func(reason string) Target {
		in.Refuse("connectionString", reason+advice)
		return Target{}
	}
	parts := map[string]string{}
	for i, part := range strings.Split(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return refuse("is not a connection string: its part " + strconv.Itoa(i+1) + " is not of the form Key=Value")
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch name {
		case keyEndpoint, keyName, keyKey, keySignature, keyEntity, keyEmulator:
			if _, twice := parts[name]; twice {
				return refuse("gives a key twice, in its part " + strconv.Itoa(i+1))
			}
			parts[name] = value
		}
	}
	t := Target{Entity: parts[keyEntity], key: parts[keyName]}
	switch {
	case parts[keyEndpoint] == "":
		return refuse("has no Endpoint=sb://…")
	case parts[keySignature] != "":
		t.key = ""
	case parts[keyName] == "" && parts[keyKey] == "":
		return refuse("has neither SharedAccessKeyName and SharedAccessKey nor SharedAccessSignature (for an identity, set endpointUri instead)")
	case parts[keyName] == "":
		return refuse("has no SharedAccessKeyName")
	case parts[keyKey] == "":
		return refuse("has no SharedAccessKey")
	}
	if value, given := parts[keyEmulator]; given {
		emulator, err := strconv.ParseBool(value)
		if err != nil {
			in.Refuse("connectionString", "has a UseDevelopmentEmulator that is neither true nor false")
			return Target{}
		}
		t.plain = emulator
	}
	t.Host = readHost(in, "connectionString", "has an Endpoint that ", parts[keyEndpoint])
	t.Connection = compose(t, parts)
	t.secrets = secretsOf(parts)
	return t
}

// compose writes the connection string anew, with what the SDKs need of it.
func compose(t Target, parts map[string]string) string {
	s := "Endpoint=sb://" + t.Host
	if signature := parts[keySignature]; signature != "" {
		s += ";SharedAccessSignature=" + signature
	} else {
		s += ";SharedAccessKeyName=" + t.key + ";SharedAccessKey=" + parts[keyKey]
	}
	if t.plain {
		s += ";UseDevelopmentEmulator=true"
	}
	return s
}

// secretsOf returns the forms in which a service might echo a secret. Shorter
// than 4 bytes it is none, but would garble every text.
func secretsOf(parts map[string]string) []string {
	secrets := []string{parts[keyKey], url.QueryEscape(parts[keyKey]), parts[keySignature]}
	for pair := range strings.SplitSeq(parts[keySignature], "&") {
		if name, value, _ := strings.Cut(pair, "="); strings.HasSuffix(name, "sig") {
			secrets = append(secrets, value)
			if plain, err := url.QueryUnescape(value); err == nil {
				secrets = append(secrets, plain)
			}
		}
	}
	return slices.DeleteFunc(secrets, func(form string) bool { return len(form) < 4 })
}
