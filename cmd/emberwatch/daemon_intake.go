package main

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"emberwatch/sources"
	"emberwatch/sources/webhook"
)

// door is the intake, as a source and a handler at once: it passes both on to a webhook, which a reload may
// replace by one with other senders. For the supervisor it stays the same source.
type door struct {
	mu      sync.Mutex
	inside  *doorkeeper                     // nil: closed
	protect func(http.Handler) http.Handler // for unsigned requests
	ctx     context.Context                 // of Run; nil: not running
	emit    sources.Emit
	keepers sync.WaitGroup // webhooks that run; grows only while ctx is set
}

// doorkeeper is one webhook at work.
type doorkeeper struct {
	hook     *webhook.Handler
	unsigned bool
	gate     *gate // so that requests in hand end before the webhook does
	handler  http.Handler
	stop     context.CancelFunc
}

// newDoorkeeper makes a webhook for the senders of a configuration; nil if there is nobody to let in.
func (d *Daemon) newDoorkeeper(cfg *Config) (*doorkeeper, error) {
	list, unsigned := senders(cfg)
	if len(list) == 0 && !unsigned {
		return nil, nil
	}
	opt := webhook.Options{Name: intakeName, Senders: list, AllowUnsigned: unsigned, Log: d.log.With("part", "intake")}
	for i := range cfg.Sources {
		if s := &cfg.Sources[i]; s.Type == "webhook" && s.Name == intakeName {
			opt.Brand, opt.Timezone = s.Brand, s.zone()
		}
	}
	hook, err := webhook.New(opt)
	if err != nil {
		return nil, err
	}
	g := &gate{next: hook}
	return &doorkeeper{hook: hook, unsigned: unsigned, gate: g, handler: g}, nil
}

// Name is the name of the intake as a source.
func (o *door) Name() string { return intakeName }

// Run lets mentions in until ctx ends, and waits for those that are being handed over.
func (o *door) Run(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
	o.mu.Lock()
	o.ctx, o.emit = ctx, emit
	o.start(o.inside)
	o.mu.Unlock()
	<-ctx.Done()
	o.mu.Lock()
	o.ctx, o.emit = nil, nil
	o.mu.Unlock()
	o.keepers.Wait()
	return nil
}

// start runs a webhook if the door is running. The caller holds the lock.
func (o *door) start(k *doorkeeper) {
	if k == nil || o.ctx == nil {
		return
	}
	ctx, stop := context.WithCancel(o.ctx)
	emit := o.emit
	k.stop = stop
	o.keepers.Go(func() { _ = k.hook.Run(ctx, nil, emit) }) // it fails only if it runs already
}

// protected says what unsigned requests have to pass; it is known only once there is a page.
func (o *door) protected(by func(http.Handler) http.Handler) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.protect = by
	o.dress(o.inside)
}

// dress puts the protection before a webhook that takes unsigned requests. The caller holds the lock.
func (o *door) dress(k *doorkeeper) {
	if k != nil && k.unsigned && o.protect != nil {
		k.handler = o.protect(k.gate)
	}
}

// replace has another webhook take the requests from now on; nil closes the door. The one before ends when
// its requests have, or after a while.
func (o *door) replace(k *doorkeeper) {
	o.mu.Lock()
	defer o.mu.Unlock()
	old := o.inside
	o.dress(k)
	o.start(k)
	o.inside = k
	if old != nil && old.stop != nil && o.ctx != nil {
		o.keepers.Go(func() {
			old.gate.close(drainTime / 2)
			old.stop()
		})
	}
}

// ServeHTTP passes a request on, or says that nobody is let in.
func (o *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	k := o.inside
	o.mu.Unlock()
	if k == nil {
		closedDoor(w, r)
		return
	}
	k.handler.ServeHTTP(w, r)
}

func closedDoor(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusUnauthorized, map[string]string{"error": "intake is closed: set intake.secret, or give a token the scope ingest"})
}

// senders returns who may push, and whether unsigned requests are taken: only where nobody else can reach the
// listener and no secret is set.
func senders(c *Config) (list []webhook.Sender, unsigned bool) {
	in := &c.Intake
	if in.Secret.value != "" {
		list = anyProfile(intakeName, in.Secret.value)
	}
	for i := range in.Senders {
		s := &in.Senders[i]
		list = append(list, webhook.Sender{Name: s.Name, Profile: sources.Profile(s.Profile), Secrets: s.Secret.values()})
	}
	for i := range c.HTTP.Tokens {
		if t := &c.HTTP.Tokens[i]; slices.Contains(t.Scopes, "ingest") {
			list = append(list, webhook.Sender{Name: t.Name, Profile: sources.Bearer, Secrets: []string{t.Secret.value}})
		}
	}
	return list, len(list)+len(c.HTTP.Tokens) == 0 && loopback(c.intakeAddress())
}

// anyProfile is a sender who may sign in any way.
func anyProfile(name string, secrets ...string) (list []webhook.Sender) {
	for _, p := range sources.Profiles {
		list = append(list, webhook.Sender{Name: name, Profile: p, Secrets: secrets})
	}
	return list
}

func (c *Config) intakeAddress() string {
	if c.Intake.Listen != "" {
		return c.Intake.Listen
	}
	return c.HTTP.Listen
}
