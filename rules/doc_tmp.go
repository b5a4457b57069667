package rules

type index struct{}
type Doc struct{}
type Term struct{}
