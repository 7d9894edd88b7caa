package workbench

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// diffJSON compares two values as JSON: the order of members and white space
// do not count. It returns "" when they are the same, else their lines with
// "-" before those of want alone, and "+" before those of got alone.
func diffJSON(want, got any) (string, error) {
	a, err := canonical(want)
	if err != nil {
		return "", err
	}
	b, err := canonical(got)
	if err != nil {
		return "", err
	}
	if bytes.Equal(a, b) {
		return "", nil
	}
	return diffLines(lines(a), lines(b)), nil
}

// canonical writes v with its members sorted. Numbers keep their digits.
func canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var sorted any
	if err := d.Decode(&sorted); err != nil {
		return nil, err
	}
	return pretty(sorted)
}

func lines(b []byte) []string { return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") }

const (
	diffContext = 3
	// diffCells bounds the work of a diff; beyond it, what is between the first
	// and the last difference counts as changed whole.
	diffCells = 4 << 20
)

// edit is a line of a diff: ' ', '-' or '+' before its text.
type edit struct {
	mark byte
	text string
}

// diffLines shows how b differs from a, with some lines around each difference.
func diffLines(a, b []string) string {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var edits []edit
	for _, s := range a[:head] {
		edits = append(edits, edit{' ', s})
	}
	edits = append(edits, middle(a[head:len(a)-tail], b[head:len(b)-tail])...)
	for _, s := range a[len(a)-tail:] {
		edits = append(edits, edit{' ', s})
	}
	return show(edits)
}

// middle is the shortest way from a to b, by the longest common subsequence.
func middle(a, b []string) (edits []edit) {
	i, j := 0, 0
	if len(a)*len(b) <= diffCells {
		common := make([][]int, len(a)+1) // common[i][j] is its length for a[i:], b[j:]
		for i := range common {
			common[i] = make([]int, len(b)+1)
		}
		for i := range slices.Backward(a) {
			for j := range slices.Backward(b) {
				if a[i] == b[j] {
					common[i][j] = common[i+1][j+1] + 1
				} else {
					common[i][j] = max(common[i+1][j], common[i][j+1])
				}
			}
		}
		for i < len(a) && j < len(b) {
			switch {
			case a[i] == b[j]:
				edits = append(edits, edit{' ', a[i]})
				i, j = i+1, j+1
			case common[i+1][j] >= common[i][j+1]:
				edits = append(edits, edit{'-', a[i]})
				i++
			default:
				edits = append(edits, edit{'+', b[j]})
				j++
			}
		}
	}
	for _, s := range a[i:] {
		edits = append(edits, edit{'-', s})
	}
	for _, s := range b[j:] {
		edits = append(edits, edit{'+', s})
	}
	return edits
}

// show writes the edits and the lines near them; "…" stands for the others.
func show(edits []edit) string {
	near := make([]bool, len(edits))
	for i, e := range edits {
		if e.mark != ' ' {
			for k := max(i-diffContext, 0); k <= min(i+diffContext, len(edits)-1); k++ {
				near[k] = true
			}
		}
	}
	var b strings.Builder
	for i, e := range edits {
		switch {
		case near[i]:
			b.WriteString(string(e.mark) + " " + e.text + "\n")
		case i == 0 || near[i-1]:
			b.WriteString("  …\n")
		}
	}
	return b.String()
}
