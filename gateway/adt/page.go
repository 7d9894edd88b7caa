package adt

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"sort"
)

// Items of a page.
const (
	usualItems = 100
	mostItems  = 1000
)

// cursor is what a continuation token says; clients know nothing of its form.
// It names the last item that was handed out, not a count of them, so that a
// page costs the same wherever it begins, and changes in between neither repeat
// an item nor leave one out.
type cursor struct {
	After string `json:"after"`
	Items int    `json:"items"`
}

func (c cursor) token() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // two fields that always encode
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(token string) (c cursor, err error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.After == "" || c.Items < 1 || c.Items > mostItems {
		return cursor{}, refuse(http.StatusBadRequest, codeArgument,
			"The continuation token is not one that an earlier page gave; begin again without it.")
	}
	return c, nil
}

// pageOf returns the items of list, which is sorted by Key, that c asks for, and
// the cursor of the page behind them, which is nil for the last one. keep, unless
// nil, says which items count.
func pageOf[T interface{ Key() string }](list []T, c cursor, keep func(T) bool) ([]T, *cursor) {
	from := 0
	if c.After != "" {
		from = sort.Search(len(list), func(i int) bool { return list[i].Key() > c.After })
	}
	var page []T
	for _, item := range list[from:] {
		if keep != nil && !keep(item) {
			continue
		}
		if len(page) == c.Items {
			return page, &cursor{After: page[len(page)-1].Key(), Items: c.Items}
		}
		page = append(page, item)
	}
	return page, nil
}
