package audio

import (
	"math"
	"strings"
	"time"
)

// dtmfKeys are the keys by their frequencies, a row for each of the lower ones
// and a column for each of the upper ones (ITU-T Q.23).
const dtmfKeys = "123A456B789C*0#D"

var dtmfTones = [8]float64{697, 770, 852, 941, 1209, 1336, 1477, 1633}

// How DTMFClip plays keys, well within what ITU-T Q.24 has receivers take.
const (
	keyOn    = 100 * time.Millisecond
	keyOff   = 60 * time.Millisecond
	keyPause = time.Second
	// keyPeak is the peak of each of the two tones: 10.2 dB below full scale, about
	// -7 dBm0.
	keyPeak = 10150
)

// DTMFClip makes the sound of keys, 0-9, *, #, A-D, each of 100 ms and followed
// by 60 ms of silence; a comma is a second of silence. Whatever else is in keys
// is passed over.
func DTMFClip(keys string) *Clip {
	count := func(d time.Duration) int { return int(d * time.Duration(Telephone.Rate) / time.Second) }
	var samples []int16
	for _, key := range strings.ToUpper(keys) {
		if key == ',' {
			samples = append(samples, make([]int16, count(keyPause))...)
			continue
		}
		at := strings.IndexRune(dtmfKeys, key)
		if at < 0 {
			continue
		}
		low, high := dtmfTones[at/4], dtmfTones[4+at%4]
		for i := range count(keyOn) {
			t := 2 * math.Pi * float64(i) / float64(Telephone.Rate)
			samples = append(samples, int16(keyPeak*(math.Sin(low*t)+math.Sin(high*t))))
		}
		samples = append(samples, make([]int16, count(keyOff))...)
	}
	return NewClip(samples)
}

// DTMF finds the keys whose sound is in samples.
func DTMF(samples []int16) string {
	var d Detector
	return d.Write(samples)
}

// The detector looks at stretches of 102 samples (12.75 ms), a new one every 5
// ms. A window is long enough to tell the tones apart and short enough that
// two keys do not fall into one.
const (
	dtmfWindow = 102
	dtmfHop    = 40
	// A key is there after dtmfHits windows in a row that hold it, which a tone of
	// 40 ms fills and one of 23 ms never does, and gone after dtmfMisses that do
	// not, which a pause of 30 ms makes and an interruption of 20 ms, a packet that
	// was lost, does not (ITU-T Q.24, table A.1).
	dtmfHits   = 6
	dtmfMisses = 6
	// Each tone is at least this loud, in dBFS; Q.24 has -25 dBm taken and -55
	// ignored.
	dtmfLeast = -38.0
	// The upper tone may be this much louder or softer than the lower one, in
	// decibels; lines attenuate it more. Q.24 has 4 and 8 taken, and what one tone
	// adds to the measurement of the other is up to 3.
	dtmfTwist        = 7.0
	dtmfReverseTwist = 12.0
	// Of the power in a window, the two tones have at least this share; speech and
	// music, whose power is spread, do not. At 1.5% off, which is to be taken, a
	// tone has three quarters of its power left in our measurement.
	dtmfShare = 0.65
	// A tone has this much more power than any other of its group.
	dtmfApart = 4.0
	// A tone that is further off than this is another: 1.5% are to be taken, 3.5%
	// not.
	dtmfOff = 0.025
)

// dtmfWave are the tones over a window, as cosine and sine.
var dtmfWave = func() (w [8][2][dtmfWindow]float32) {
	for t, hz := range dtmfTones {
		for i := range dtmfWindow {
			sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / float64(Telephone.Rate))
			w[t][0][i], w[t][1][i] = float32(cos), float32(sin)
		}
	}
	return w
}()

// Detector finds keys in sound that comes bit by bit, 8,000 samples a second.
// The zero value is ready. It is for one goroutine.
type Detector struct {
	window [dtmfWindow]float32
	filled int

	key    byte // that sounds, 0 for none
	misses int  // windows without it, in a row

	next   byte // that may begin to sound
	hits   int  // windows with it, in a row
	phases [2]float64
	drift  [2]float64 // how far its tones are off, in radians over all hits
}

// Write listens to samples and returns the keys that have begun to sound: each
// once, when it has sounded for 40 ms, however long it is held.
func (d *Detector) Write(samples []int16) string {
	var keys []byte
	for len(samples) > 0 {
		n := min(len(samples), dtmfWindow-d.filled)
		for i, v := range samples[:n] {
			d.window[d.filled+i] = float32(v) / fullScale
		}
		samples, d.filled = samples[n:], d.filled+n
		if d.filled < dtmfWindow {
			break
		}
		if key := d.listen(); key != 0 {
			keys = append(keys, key)
		}
		d.filled = copy(d.window[:], d.window[dtmfHop:])
	}
	return string(keys)
}

// listen judges a full window and returns the key that has begun, or 0.
func (d *Detector) listen() byte {
	key, phases := d.hear()
	switch {
	case d.key != 0 && key == d.key:
		d.misses = 0
	case d.key != 0:
		if d.misses++; d.misses >= dtmfMisses {
			d.key = 0
		}
	}
	if key == 0 || key != d.next {
		d.next, d.hits, d.phases, d.drift = key, 1, phases, [2]float64{}
		return 0
	}
	d.hits++
	at := strings.IndexByte(dtmfKeys, key)
	tones := [2]float64{dtmfTones[at/4], dtmfTones[4+at%4]}
	for i, hz := range tones {
		// From one window to the next a tone turns by its frequency; by how much
		// more or less says how far it is off.
		turn := 2 * math.Pi * hz * dtmfHop / float64(Telephone.Rate)
		d.drift[i] += math.Remainder(phases[i]-d.phases[i]-turn, 2*math.Pi)
	}
	d.phases = phases
	if d.hits != dtmfHits || key == d.key {
		return 0
	}
	for i, hz := range tones {
		off := d.drift[i] / (dtmfHits - 1) / (2 * math.Pi) * float64(Telephone.Rate) / dtmfHop
		if math.Abs(off) > dtmfOff*hz {
			return 0
		}
	}
	d.key, d.misses = key, 0
	return key
}

// hear tells the key whose tones a window holds, 0 for none, and the phases of
// the lower and of the upper.
func (d *Detector) hear() (key byte, phases [2]float64) {
	energy := dot(d.window[:], d.window[:])
	// The power of a tone is half the square of its peak.
	least := float32(math.Pow(10, dtmfLeast/10) / 2)
	if energy/dtmfWindow < 2*least*dtmfShare {
		return 0, phases
	}
	var powers [8]float32
	var re, im [8]float32
	for t := range dtmfWave {
		re[t], im[t] = dot(d.window[:], dtmfWave[t][0][:]), dot(d.window[:], dtmfWave[t][1][:])
		powers[t] = 2 * (re[t]*re[t] + im[t]*im[t]) / (dtmfWindow * dtmfWindow)
	}
	low, high := loudest(powers[:4]), loudest(powers[4:])
	if low < 0 || high < 0 {
		return 0, phases
	}
	high += 4
	twist := 10 * math.Log10(float64(powers[high]/powers[low]))
	switch {
	case powers[low] < least || powers[high] < least,
		twist > dtmfTwist || twist < -dtmfReverseTwist,
		powers[low]+powers[high] < dtmfShare*energy/dtmfWindow:
		return 0, phases
	}
	for i, t := range [2]int{low, high} {
		phases[i] = math.Atan2(-float64(im[t]), float64(re[t]))
	}
	return dtmfKeys[low*4+high-4], phases
}

// loudest is the tone of a group that stands out, -1 if none does.
func loudest(powers []float32) int {
	best := 0
	for i, p := range powers {
		if p > powers[best] {
			best = i
		}
	}
	for i, p := range powers {
		if i != best && powers[best] < dtmfApart*p {
			return -1
		}
	}
	return best
}
