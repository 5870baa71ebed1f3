package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// updateWords are what version and update say.
var updateWords = language.Catalogue{
	"version.functions":    {En: "The functions for AWS Lambda are inside.", Ja: "AWS Lambda の関数を内蔵しています。"},
	"version.no_functions": {En: "No functions are inside: this is no release.", Ja: "関数を内蔵していません (リリース版ではありません)。"},
}
