package rules

import (
	"embed"
	"fmt"
	"path"
	"sync"

	"go.yaml.in/yaml/v4"
)

//go:embed packs/*.yml
var packs embed.FS

// packFile is an embedded file with its content, which nobody changes.
type packFile struct {
	File
	root *yaml.Node
}

// library returns the embedded files: categories with their cues, starter rules, playbooks. They are read once: every
// Set has them below it.
var library = sync.OnceValue(func() []packFile {
	entries, err := packs.ReadDir("packs")
	if err != nil {
		panic(fmt.Sprintf("rules: embedded packs: %v", err))
	}
	var files []packFile
	for _, e := range entries {
		name := path.Join("packs", e.Name())
		data, err := packs.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("rules: embedded packs: %v", err))
		}
		var doc yaml.Node
		if err := yaml.Load(data, &doc); err != nil {
			panic(fmt.Sprintf("rules: embedded packs: %s: %v", name, err))
		}
		files = append(files, packFile{File{Name: name, Data: data}, doc.Content[0]})
	}
	return files
})

// Starter returns the embedded rules, categories and playbooks: what is in force without any rule file. It
// panics only if the embedded files are broken.
func Starter() *Set {
	s, errs := Parse(nil, Options{})
	if s == nil {
		panic("rules: embedded packs:\n" + errs.Error())
	}
	return s
}
