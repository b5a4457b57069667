//go:build race

package notifiertest

const raceDetector = true
