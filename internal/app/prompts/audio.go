package prompts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/objects"
)

// fileValidity is how long the URL of GetPromptFile can be used. What the real
// service grants is not documented (docs/divergences.md).
const fileValidity = 15 * time.Minute

// What a prompt may be: less than 50 MB and less than five minutes (admin guide,
// "Flow block in Amazon Connect: Play prompt", Requirements for prompts). That
// page asks for one channel of µ-law at 8 kHz, for other files may not play as
// they should, while "Create prompts" says that higher rates are brought down;
// so what can be brought down is taken (docs/divergences.md).
const (
	maxSize     = 50 << 20
	maxDuration = 5 * time.Minute
	minRate     = 8000
	maxRate     = 48000
	maxChannels = 2
)

// copyAudio reads what S3Uri leads to, checks it, and keeps a copy in the own
// bucket of the instance, whose key it returns. Nothing names the copy yet.
func (p *Prompts) copyAudio(ctx context.Context, sc catalog.Scope, s3URI string) (key string, err error) {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.InvalidParameter, "S3Uri "+format, args...)
	}
	from, err := objects.ParseURI(s3URI)
	if err != nil {
		return "", wrong("is not valid: %v", err)
	}
	if from.OfAnother(string(sc.ID)) && !p.files.Honours(s3URI, from) {
		return "", wrong("leads to nothing: %v", objects.ErrNotFound)
	}
	body, info, err := p.files.Get(ctx, from)
	switch {
	case errors.Is(err, objects.ErrNotFound):
		return "", wrong("leads to nothing: %v", err)
	case errors.Is(err, objects.ErrDenied):
		return "", wrong("cannot be read: %v", err)
	case err != nil:
		return "", err
	}
	defer body.Close()
	if info.Size >= maxSize {
		return "", wrong("leads to a file of %d bytes; a prompt has less than %d", info.Size, maxSize)
	}
	file, err := io.ReadAll(io.LimitReader(body, maxSize))
	if err != nil {
		return "", err
	}
	if err := checkAudio(file); err != nil {
		return "", wrong("leads to no prompt: %v", err)
	}
	key = keyOf(domain.NewID())
	return key, p.files.Put(ctx, objects.Own(string(sc.ID), key), bytes.NewReader(file))
}

// checkAudio says what makes a file unfit for a prompt.
func checkAudio(file []byte) error {
	w, err := audio.ParseWAV(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return err
	}
	switch {
	case w.Length == 0:
		return errors.New("there is no sound in it")
	case w.Rate < minRate || w.Rate > maxRate:
		return fmt.Errorf("it has %d samples a second; 8000 are played, and up to 48000 brought down to them", w.Rate)
	case w.Channels > maxChannels:
		return fmt.Errorf("it has %d channels; one is played, and two are brought together", w.Channels)
	case w.Duration() >= maxDuration:
		return fmt.Errorf("it plays %v; a prompt plays less than %v", w.Duration().Round(time.Second), maxDuration)
	default:
		return nil
	}
}

func keyOf(id string) string { return "prompts/" + id + ".wav" }

// audioOf is where the audio of a prompt is: under the key that it names, or
// under its own id when it is one that the instance came with.
func audioOf(sc catalog.Scope, id, key string) objects.URI {
	if key == "" {
		key = keyOf(id)
	}
	return objects.Own(string(sc.ID), key)
}

// audio is where the audio of a prompt is. That of a prompt that the instance
// came with is made now if it was never asked for.
func (p *Prompts) audio(ctx context.Context, sc catalog.Scope, i *catalog.Item[domain.Prompt]) (objects.URI, error) {
	at := audioOf(sc, i.ID, i.Value.Object)
	if i.Value.Object != "" {
		return at, nil
	}
	_, err := p.files.Stat(ctx, at)
	if errors.Is(err, objects.ErrNotFound) {
		name := i.Value.Sound
		if name == "" {
			name = i.Name // of an instance made before Sound was kept
		}
		err = p.files.Put(ctx, at, bytes.NewReader(sound(name)))
	}
	return at, err
}

// removeAudio removes a file that no prompt names any more. The request is
// done, so that it cannot be removed is the operator's concern alone, and a
// client that has gone is no reason to leave it.
func (p *Prompts) removeAudio(ctx context.Context, at objects.URI) {
	if err := p.files.Delete(context.WithoutCancel(ctx), at); err != nil {
		p.catalog.Logger().Warn("audio of a prompt is left over", slog.String("object", at.String()), slog.Any("err", err))
	}
}
