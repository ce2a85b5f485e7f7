package domain

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// Workspace is what its users see of the contact centre: views on pages, in a
// theme.
type Workspace struct {
	Name        string
	Title       string `json:",omitempty"`
	Description string `json:",omitempty"`
	Visibility  types.Visibility
	Theme       *types.WorkspaceTheme `json:",omitempty"`
}

// Check checks the colours of a workspace's theme.
func (w *Workspace) Check() error {
	if w.Theme == nil {
		return nil
	}
	for _, mode := range []struct {
		name   string
		config *types.WorkspaceThemeConfig
	}{{"Light", w.Theme.Light}, {"Dark", w.Theme.Dark}} {
		if mode.config == nil || mode.config.Palette == nil {
			continue
		}
		if err := checkPalette(fmt.Sprintf("Theme.%s.Palette", mode.name), mode.config.Palette); err != nil {
			return err
		}
	}
	return nil
}

// colour is what CSS takes for a colour: a hexadecimal notation, a name, or a
// function such as rgb(…) or var(…). The API reference calls the members
// colours and says no more.
var colour = regexp.MustCompile(`^(#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})|[a-zA-Z]+|[a-zA-Z-]+\(.+\))$`)

func checkPalette(path string, p *types.WorkspaceThemePalette) error {
	type member struct {
		name  string
		value *string
	}
	var members []member
	if c := p.Canvas; c != nil {
		members = append(members, member{"Canvas.ActiveBackground", c.ActiveBackground},
			member{"Canvas.ContainerBackground", c.ContainerBackground}, member{"Canvas.PageBackground", c.PageBackground})
	}
	if h := p.Header; h != nil {
		members = append(members, member{"Header.Background", h.Background}, member{"Header.Text", h.Text}, member{"Header.TextHover", h.TextHover})
	}
	if n := p.Navigation; n != nil {
		members = append(members, member{"Navigation.Background", n.Background}, member{"Navigation.Text", n.Text},
			member{"Navigation.TextActive", n.TextActive}, member{"Navigation.TextHover", n.TextHover},
			member{"Navigation.TextBackgroundActive", n.TextBackgroundActive}, member{"Navigation.TextBackgroundHover", n.TextBackgroundHover})
	}
	if c := p.Primary; c != nil {
		members = append(members, member{"Primary.Active", c.Active}, member{"Primary.ContrastText", c.ContrastText}, member{"Primary.Default", c.Default})
	}
	for _, m := range members {
		if m.value != nil && !colour.MatchString(*m.value) {
			return fault.New(fault.InvalidParameter, "%s.%s must be a colour such as #1a2b3c", path, m.name)
		}
	}
	return nil
}
