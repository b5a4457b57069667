package webhook

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"emberwatch/sources"
)

// maxDeliveryID bounds what a sender may have us remember.
const maxDeliveryID = 256

// What this handler answers besides what every pushed source does.
var (
	badMethod   = &sources.Refusal{Status: http.StatusMethodNotAllowed, Reason: "only POST is understood here"}
	badEncoding = &sources.Refusal{Status: http.StatusUnsupportedMediaType, Reason: "Content-Encoding must be gzip, zstd or none"}
	badID       = &sources.Refusal{Status: http.StatusBadRequest, Reason: "webhook-id is too long"}
	tooMany     = &sources.Refusal{Status: http.StatusRequestEntityTooLarge, Reason: "too many items in one body"}
	tooFast     = &sources.Refusal{Status: http.StatusTooManyRequests, Reason: "too many requests of this sender: wait as Retry-After says, and put more items into one request"}
)

// result is the body of a 200.
type result struct {
	Accepted   int                `json:"accepted"`
	Duplicates int                `json:"duplicates"`
	Rejected   []sources.Rejected `json:"rejected"`
}

// ServeHTTP takes one push and answers when it is durable.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	res, no := h.serve(w, r)
	if no == nil {
		sources.AnswerPush(w, http.StatusOK, res)
		return
	}
	switch no.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		h.opt.Log.Warn("request refused", "source", h.opt.Name, "remote", r.RemoteAddr, "error", no.Reason)
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(1/h.opt.PerSecond))))
	}
	no.Answer(w)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (*result, *sources.Refusal) {
	if r.Method != http.MethodPost {
		return nil, badMethod
	}
	raw, no := sources.ReadPush(w, r, h.opt.MaxBody)
	if no != nil {
		return nil, no
	}
	from, no := h.authenticate(r, raw)
	if no != nil {
		return nil, no
	}
	// Only now: a stranger must not use up the rate of a sender, nor must asking whether intake is open again.
	if h.inlet.IsOpen() && !h.rates[from].AllowN(h.now(), 1) {
		return nil, tooFast
	}
	body, no := h.unpack(raw, r.Header.Get("Content-Encoding"))
	if no != nil {
		return nil, no
	}
	ms, rejected, no := h.decode(body, from, r.Header.Get("Content-Type"))
	if no != nil {
		return nil, no
	}
	b := sources.Batch{Source: h.opt.Name, Mentions: ms}
	if len(rejected) > 0 {
		b.Rejected = sources.Rejects{Count: len(rejected), Why: rejected[0].Error}
	}
	if b.Delivery, no = h.delivery(r, from, raw); no != nil {
		return nil, no
	}
	return h.take(r.Context(), b, rejected)
}

// authenticate returns the name of the sender: the first whose secret fits, or our own name for unsigned
// requests where they are allowed.
func (h *Handler) authenticate(r *http.Request, raw []byte) (string, *sources.Refusal) {
	if len(h.senders) == 0 {
		return h.opt.Name, nil
	}
	var last error
	for _, s := range h.senders {
		err := s.verifier.Verify(r.Header, raw, h.now())
		if err == nil {
			return s.name, nil
		}
		last = err
	}
	h.opt.Log.Warn("request refused", "source", h.opt.Name, "remote", r.RemoteAddr, "error", last)
	return "", sources.RefuseSignature
}

// unpack undoes the content encoding. The limit holds for what comes out.
func (h *Handler) unpack(raw []byte, encoding string) ([]byte, *sources.Refusal) {
	var z io.Reader
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return raw, nil
	case "gzip", "x-gzip":
		unzip, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, sources.RefuseBody
		}
		z = unzip
	case "zstd":
		unzip, err := zstd.NewReader(bytes.NewReader(raw), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, sources.RefuseBody
		}
		defer unzip.Close()
		z = unzip
	default:
		return nil, badEncoding
	}
	body, err := io.ReadAll(io.LimitReader(z, h.opt.MaxBody+1))
	switch {
	case int64(len(body)) > h.opt.MaxBody:
		return nil, sources.RefuseLarge
	case err != nil:
		return nil, sources.RefuseBody
	}
	return body, nil
}

func (h *Handler) decode(body []byte, from, contentType string) ([]sources.Mention, []sources.Rejected, *sources.Refusal) {
	decode := sources.DecodeItems
	if kind, _, _ := mime.ParseMediaType(contentType); h.opt.Map != nil {
		decode = h.opt.Map.decode
	} else if lines[kind] {
		decode = sources.DecodeLines
	}
	ms, rejected, err := decode(body, sources.DecodeOptions{
		Source: from, Brand: h.opt.Brand, Zone: h.opt.Timezone, Arrived: h.now(), MaxItems: h.opt.MaxItems,
	})
	if errors.Is(err, sources.ErrTooManyItems) {
		return nil, nil, tooMany
	}
	if err != nil {
		return nil, nil, &sources.Refusal{Status: http.StatusBadRequest, Reason: err.Error()} // it repeats nothing of the body
	}
	return ms, rejected, nil
}

// lines are the content types of one object a line. Everything else is looked at as one JSON value, because
// few senders bother to say.
var lines = map[string]bool{"application/x-ndjson": true, "application/ndjson": true, "application/jsonl": true, "application/x-jsonlines": true}

// delivery identifies the push if its sender did, or by its body where the signature knows no time: somebody who has
// caught such a request could send it again for ever. Senders do not share ids.
func (h *Handler) delivery(r *http.Request, from string, raw []byte) (*sources.Delivery, *sources.Refusal) {
	id := r.Header.Get("webhook-id")
	if id == "" && (r.Header.Get("X-Hub-Signature-256") != "" || r.Header.Get("X-Hub-Signature") != "") {
		id = fmt.Sprintf("body-%x", sha256.Sum256(raw))
	}
	switch {
	case id == "":
		return nil, nil
	case len(id) > maxDeliveryID:
		return nil, badID
	}
	return &sources.Delivery{ID: from + "/" + id, Digest: sha256.Sum256(raw)}, nil
}

// take hands the batch over and puts together what became of each item of the body.
func (h *Handler) take(ctx context.Context, b sources.Batch, rejected []sources.Rejected) (*result, *sources.Refusal) {
	taken, err := h.inlet.Emit(ctx, b, h.opt.Timeout)
	if err == nil {
		return &result{taken.Accepted, taken.Duplicates, merge(len(b.Mentions), rejected, taken.Rejected)}, nil
	}
	no := sources.RefusalOf(err)
	if no == sources.RefuseFailed {
		h.opt.Log.Error("request failed", "source", h.opt.Name, "error", err)
	}
	return nil, no
}

// merge joins what was rejected from the body with what the intake rejected of the n mentions decoded from
// it, all by their index in the body.
func merge(n int, ours, theirs []sources.Rejected) []sources.Rejected {
	all := append([]sources.Rejected{}, ours...) // empty, not null
	indexes := sources.BodyIndexes(n, ours)
	for _, r := range theirs {
		if r.Index >= 0 && r.Index < n {
			r.Index = indexes[r.Index]
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b sources.Rejected) int { return a.Index - b.Index })
	return all
}
