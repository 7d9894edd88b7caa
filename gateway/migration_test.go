package gateway_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/migration"
)

// What is imported from Azure Digital Twins is taken by the API as it is, once
// its secrets are set.
func TestImportedDocumentsAreTaken(t *testing.T) {
	const connection = "Endpoint=sb://plant.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=bm90IGEga2V5;EntityPath=twins"
	var files []migration.File
	for _, name := range []string{"routes.json", "endpoints.json"} {
		text, err := os.ReadFile(filepath.Join("migration", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, migration.File{Name: name, Text: text})
	}
	export, err := migration.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	documents, report := export.Import()
	var secrets []string
	for _, secret := range report.Secrets {
		value := connection
		switch {
		case strings.HasSuffix(secret.Variable, "DEAD_LETTER_URI"):
			value = "https://plant.blob.core.windows.net/dead?sv=1&sig=bm90"
		case strings.HasSuffix(secret.Variable, "ACCESS_KEY"):
			value = "bm90IGEga2V5"
		}
		secrets = append(secrets, "${"+secret.Variable+"}", value)
	}
	s := start(t, t.TempDir())
	for _, d := range documents {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var document struct{ Spec json.RawMessage }
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("/%ss/%s", strings.ToLower(d.Kind), strings.ReplaceAll(d.Name, " ", "%20"))
		s.put(path, strings.NewReplacer(secrets...).Replace(string(document.Spec)))
	}
}
