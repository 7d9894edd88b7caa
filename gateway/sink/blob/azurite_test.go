package blob_test

import (
	"testing"

	"github.com/headgate/headgate/gateway/sink/blob/azurite"
)

func TestMain(m *testing.M) { azurite.Main(m) }

// account and key are those of Azurite.
const account = azurite.Account

var key = azurite.Key

// newContainer and useAzurite are short for what the tests do most.
var (
	newContainer = azurite.Container
	useAzurite   = azurite.Use
)
