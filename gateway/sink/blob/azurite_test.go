package blob_test

import (
	"os"
	"testing"

	"github.com/headgate/headgate/gateway/sink/blob/azurite"
)

func TestMain(m *testing.M) { os.Exit(azurite.Main(m)) }

// account and key are those of Azurite.
const account = azurite.Account

var key = azurite.Key

// newContainer and useAzurite are short for what the tests do most.
var (
	newContainer = azurite.Container
	useAzurite   = azurite.Use
)
