//go:build !wasip1

package sdk

import (
	"os"

	"github.com/headgate/headgate/sdk/abi"
)

func hostLog(level uint32, text string) {
	os.Stderr.WriteString(abi.Level(level).String() + ": " + text + "\n")
}
