package main

import (
	"cmp"
	"log/slog"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
	"emberwatch/sources/appstore"
	"emberwatch/sources/googleplay"
	"emberwatch/sources/youtube"
)

// These sources read what stands under one's own apps and videos. Their packages know best what they need: a
// configuration is good if they take it.

func (s *SourceConfig) appstore(client *sources.Client) (sources.Source, error) {
	path := ""
	if len(s.Path) > 0 {
		path = s.Path[0]
	}
	return appstore.New(appstore.Options{
		Name: s.Name, App: s.App, Countries: s.Countries, Pages: s.Pages, Every: s.every(), URL: s.URL, Path: path,
		Brand: s.Brand, Client: client.For(s.Budget),
	})
}

func (s *SourceConfig) googleplay(client *sources.Client) (sources.Source, error) {
	return googleplay.New(googleplay.Options{
		Name: s.Name, App: s.App, Credentials: []byte(s.Credentials.value), Every: s.every(), URL: s.URL, Brand: s.Brand, Client: client,
	})
}

func (s *SourceConfig) youtube(client *sources.Client, hot sources.Hot, log *slog.Logger) (sources.Source, error) {
	return youtube.New(youtube.Options{
		Name: s.Name, Key: s.Key.value, Channel: s.Channel, Videos: s.Videos, Every: s.every(), Quota: s.Budget, URL: s.URL,
		Brand: s.Brand, Client: client, Hot: hot, Log: log,
	})
}

// every is the interval between polls; 0: the source's own. What is no duration is told elsewhere.
func (s *SourceConfig) every() time.Duration {
	every, err := detector.ParseDuration(s.Every)
	if err != nil {
		return 0
	}
	return every
}

// account checks a source by making it. Each line of the package's error begins with the name of the source, and goes on
// with the key that is wrong.
func (v *validation) account(at string, of *SourceConfig) {
	v.budget(at, of)
	s := *of
	s.Name = cmp.Or(s.Name, "unnamed")
	told := map[string]bool{ // elsewhere
		"key":         s.Key.ref != "" && s.Key.value == "",
		"credentials": s.Credentials.ref != "" && s.Credentials.value == "",
		"every":       s.Every != "" && s.every() < time.Minute,
		"url":         s.URL != "",
		"budget":      s.Budget != 0,
	}
	var err error
	switch client := sources.NewClient(sources.ClientOptions{}); s.Type {
	case "appstore":
		_, err = s.appstore(client)
	case "googleplay":
		_, err = s.googleplay(client)
	case "youtube":
		_, err = s.youtube(client, nil, nil)
	}
	if err == nil {
		return
	}
	for line := range strings.Lines(err.Error()) {
		key, what, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "source "+s.Name+": ")), " ")
		if key = strings.TrimSuffix(key, ":"); !told[key] {
			v.fail(at+"."+key, what, "", "README has an example of a source of type "+s.Type)
		}
	}
}
