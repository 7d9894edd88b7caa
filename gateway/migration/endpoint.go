package migration

import (
	"net/url"
	"strings"
)

// The types of endpoints that Azure Digital Twins has.
const (
	eventHub   = "EventHub"
	serviceBus = "ServiceBus"
	eventGrid  = "EventGrid"
)

func (m *importer) endpoint(e *endpoint) {
	name := m.name(e.at, "endpoint", e.name, m.names, endpointName)
	m.renamed[strings.ToLower(e.name)] = name
	if e.state != "" && !strings.EqualFold(e.state, "Succeeded") {
		m.broken[strings.ToLower(e.name)] = true
		m.report.note(e.at, "endpoint %s is not in use at Azure: its provisioningState is %s; find out why before relying on it", e.name, e.state)
	}
	var kind string
	var settings []Member
	switch e.kind {
	case eventHub:
		kind, settings = "eventHub", m.queue(e, name)
	case serviceBus:
		kind, settings = "serviceBus", m.queue(e, name)
	case eventGrid:
		kind, settings = "eventGrid", m.topic(e, name)
	}
	settings = append(settings, m.deadLetters(e, name)...)
	m.documents = append(m.documents, Document{"Endpoint", name, []Member{{"kind", kind}, {"settings", settings}}})
	m.report.Endpoints++
}

// queue is the settings of an event hub or a topic of Service Bus.
func (m *importer) queue(e *endpoint, name string) []Member {
	role, what, command := "Azure Event Hubs Data Sender", "the event hub", "az eventhubs eventhub authorization-rule keys list --resource-group %s --namespace-name %s --eventhub-name %s --name %s --query primaryConnectionString -o tsv"
	if e.kind == serviceBus {
		role, what, command = "Azure Service Bus Data Sender", "the topic", "az servicebus topic authorization-rule keys list --resource-group %s --namespace-name %s --topic-name %s --name %s --query primaryConnectionString -o tsv"
	}
	if e.identityBased {
		m.identify(e, role, what+" "+e.entityPath+" at "+e.endpointURI)
		return []Member{{"endpointUri", escapeReferences(e.endpointURI)}, {"entityPath", escapeReferences(e.entityPath)}}
	}
	shown := connection(e.connection)
	namespace, entity := namespaceOf(shown["endpoint"], e.endpointURI), shown["entitypath"]
	if entity == "" {
		entity = e.entityPath
	}
	secret := Secret{
		Variable: m.variable(name, "CONNECTION_STRING"), Endpoint: e.name, Azure: e.primary(),
		Hint: "the connection string of a rule that may send; it has to end with EntityPath=",
		Command: fill(command, e.group(), orPlaceholder(namespace, "NAMESPACE"), orPlaceholder(entity, placeholderOf(e)),
			orPlaceholder(shown["sharedaccesskeyname"], "RULE")),
		Shown: shown["sharedaccesskey"] != "",
	}
	m.report.Secrets = append(m.report.Secrets, secret)
	return []Member{{"connectionString", "${" + secret.Variable + "}"}}
}

func placeholderOf(e *endpoint) string {
	if e.kind == serviceBus {
		return "TOPIC"
	}
	return "EVENTHUB"
}

// primary is what Azure calls the secret that opens e.
func (e *endpoint) primary() string {
	switch e.kind {
	case eventHub:
		return "connectionStringPrimaryKey"
	case serviceBus:
		return "primaryConnectionString"
	}
	return "accessKey1"
}

// topic is the settings of a topic of Event Grid.
func (m *importer) topic(e *endpoint, name string) []Member {
	out := []Member{{"topicEndpoint", escapeReferences(e.topicEndpoint)}}
	m.report.note(e.at, "endpoint %s is taken to be a topic of the Event Grid schema; for one of CloudEvents add the setting schema: cloudEventSchemaV1_0", e.name)
	if e.identityBased {
		m.identify(e, "EventGrid Data Sender", "the topic "+e.topicEndpoint)
		return out
	}
	topic := "TOPIC"
	if u, err := url.Parse(e.topicEndpoint); err == nil && u.Hostname() != "" {
		topic, _, _ = strings.Cut(u.Hostname(), ".")
	}
	secret := Secret{
		Variable: m.variable(name, "ACCESS_KEY"), Endpoint: e.name, Azure: e.primary(), Hint: "a key of the topic",
		Command: fill("az eventgrid topic key list --resource-group %s --name %s --query key1 -o tsv", e.group(), orPlaceholder(topic, "TOPIC")),
		Shown:   e.accessKey != "" && !masked(e.accessKey),
	}
	m.report.Secrets = append(m.report.Secrets, secret)
	return append(out, Member{"accessKey", "${" + secret.Variable + "}"})
}

// deadLetters is the setting for the container of dead letters.
func (m *importer) deadLetters(e *endpoint, name string) []Member {
	if !e.deadLetterSecret {
		if e.deadLetterURI == "" {
			return nil
		}
		if u, err := url.Parse(e.deadLetterURI); err == nil && u.RawQuery == "" && u.User == nil {
			m.identify(e, "Storage Blob Data Contributor", "the container "+e.deadLetterURI)
			return []Member{{"deadLetterUri", escapeReferences(e.deadLetterURI)}}
		}
	}
	account, container := "ACCOUNT", "CONTAINER"
	if u, err := url.Parse(e.deadLetterSAS + e.deadLetterURI); err == nil && strings.Contains(u.Hostname(), ".blob.") {
		name, _, _ := strings.Cut(u.Hostname(), ".")
		account, container = orPlaceholder(name, account), orPlaceholder(strings.Trim(u.Path, "/"), container)
	}
	secret := Secret{
		Variable: m.variable(name, "DEAD_LETTER_URI"), Endpoint: e.name, Azure: "deadLetterSecret",
		Hint:   "the URL of the container of dead letters with a shared access signature that may create and write",
		Prefix: "https://" + account + ".blob.core.windows.net/" + container + "?",
		Command: fill("az storage container generate-sas --account-name %s --name %s --permissions cw --expiry YYYY-MM-DD --https-only -o tsv",
			account, container),
		Shown: !masked(e.deadLetterSAS + e.deadLetterURI),
	}
	m.report.Secrets = append(m.report.Secrets, secret)
	return []Member{{"deadLetterUri", "${" + secret.Variable + "}"}}
}

func (m *importer) identify(e *endpoint, role, on string) {
	m.report.Identities = append(m.report.Identities, Identity{Endpoint: e.name, Role: role, On: on, UserAssigned: e.userAssigned})
}

// group is the resource group that e's id names.
func (e *endpoint) group() string {
	parts := strings.Split(e.resourceID, "/")
	for i, part := range parts {
		if strings.EqualFold(part, "resourceGroups") && i+1 < len(parts) {
			return orPlaceholder(parts[i+1], "RESOURCE-GROUP")
		}
	}
	return "RESOURCE-GROUP"
}

// connection splits a connection string into what it shows: parts that are
// obscured are left out. Keys are in lower case.
func connection(text string) map[string]string {
	shown := map[string]string{}
	for field := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(field, "=")
		if value = strings.TrimSpace(value); value != "" && !masked(value) {
			shown[strings.ToLower(strings.TrimSpace(key))] = value
		}
	}
	return shown
}

// namespaceOf is the first label of the host of the first address that has one.
func namespaceOf(addresses ...string) string {
	for _, address := range addresses {
		if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
			namespace, _, _ := strings.Cut(u.Hostname(), ".")
			return namespace
		}
	}
	return ""
}

// masked reports whether text is, or holds, what Azure shows in place of a secret.
func masked(text string) bool {
	return text == "" || strings.Contains(text, "***") || strings.Contains(strings.ToLower(text), "obfuscated")
}

// orPlaceholder returns text where it can stand in a command line as it is.
func orPlaceholder(text, placeholder string) string {
	for _, r := range text {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./", r) {
			return placeholder
		}
	}
	if text == "" {
		return placeholder
	}
	return text
}
