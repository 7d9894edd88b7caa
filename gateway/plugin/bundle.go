package plugin

import "github.com/headgate/headgate/gateway/pipeline"

type bundles struct{}

func openBundles(Options) (*bundles, error) { return &bundles{}, nil }

func (b *Binding) bundle(i *instance, item *pipeline.Item, g *GuestError) string { return "" }
