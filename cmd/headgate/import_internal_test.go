package main // white-box: a command exports nothing

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	exportedRoutes = `[
  {"endpointName": "hub", "filter": "type = 'Microsoft.DigitalTwins.Twin.Update'", "id": "updates"},
  {"endpointName": "alarms", "filter": "$eventType = 'DigitalTwinTelemetryMessages'", "id": "Updates"}
]
`
	exportedEndpoints = `[
  {
    "id": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/plant-rg/providers/Microsoft.DigitalTwins/digitalTwinsInstances/plant/endpoints/hub",
    "name": "hub",
    "properties": {"endpointType": "EventHub", "authenticationType": "KeyBased", "connectionStringPrimaryKey": "Endpoint=sb://***/;SharedAccessKeyName=***;SharedAccessKey=***;EntityPath=***", "deadLetterSecret": "***", "provisioningState": "Succeeded"}
  },
  {
    "id": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/plant-rg/providers/Microsoft.DigitalTwins/digitalTwinsInstances/plant/endpoints/alarms",
    "name": "alarms",
    "properties": {"endpointType": "ServiceBus", "authenticationType": "IdentityBased", "endpointUri": "sb://plant.servicebus.windows.net/", "entityPath": "alarms", "provisioningState": "Succeeded"}
  }
]
`
)

// TestImportADT holds what the command prints and writes.
func TestImportADT(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"routes.json": exportedRoutes, "endpoints.json": exportedEndpoints, "bad.json": "[\n  {\"id\" 1}\n]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	show := func(stdin string, args ...string) {
		fmt.Fprintf(&b, "$ headgate %s\n", strings.Join(args, " "))
		for i, arg := range args {
			if strings.HasSuffix(arg, ".json") || arg == "out" {
				args[i] = filepath.Join(dir, arg)
			}
		}
		fmt.Fprintln(&b, strings.ReplaceAll(execute(t, stdin, args...), dir+string(filepath.Separator), ""))
	}
	show("", "import", "adt", "--from", "routes.json", "--from", "endpoints.json")
	show(exportedRoutes, "import", "adt", "--from", "-", "endpoints.json", "-o", "out")
	for _, pattern := range []string{"out/endpoints/*", "out/routes/*"} {
		files, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "$ cat %s\n%s\n", strings.TrimPrefix(file, dir+string(filepath.Separator)), text)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "out", "endpoints", "hub.yaml"), []byte("# mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	show("", "import", "adt", "--from", "endpoints.json", "-o", "out")
	show("", "import", "adt", "--from", "endpoints.json", "-o", "out", "--force")
	show("", "import", "adt", "--from", "bad.json")
	show("", "import", "adt", "--from", "nowhere.json")
	show("", "import", "adt")
	golden(t, "import-adt", b.String())
}
