package screening

import "strings"

// Words in English are found in each of their forms: a phrase is written once, as pay back, and stands for pays back,
// paid back and paying back as well. The last word of a phrase is the one that has forms, unless it is as short as
// back, me or out, and then the first.

const (
	shortest = 4 // letters of a word that has forms
	particle = 4 // letters of a last word that may leave them to the first
)

// irregular are the forms that no ending makes.
var irregular = map[string]string{
	"pay": "paid", "lend": "lent", "buy": "bought", "sell": "sold", "take": "took taken", "give": "gave given", "leave": "left",
	"get": "got", "come": "came", "know": "knew known", "tell": "told", "see": "saw seen", "make": "made", "find": "found",
	"bring": "brought", "catch": "caught", "meet": "met", "send": "sent", "spend": "spent", "lose": "lost", "steal": "stole stolen",
	"break": "broke broken", "keep": "kept", "hear": "heard", "fall": "fell fallen", "drive": "drove driven", "speak": "spoke spoken",
	"run": "ran", "hold": "held", "stick": "stuck", "feel": "felt", "write": "wrote written", "say": "said", "think": "thought", "put": "put",
	"set": "set", "drink": "drank", "eat": "ate eaten", "ring": "rang", "fight": "fought", "forget": "forgot forgotten", "man": "men",
	"woman": "women", "wife": "wives", "child": "children", "person": "people", "teach": "taught", "build": "built", "win": "won",
	"throw": "threw thrown", "show": "shown", "sit": "sat", "stand": "stood", "begin": "began begun", "sue": "suing",
}

// forms are a phrase in Latin letters with what else it may be written as.
func forms(text string) []string {
	words := strings.Split(text, " ")
	at := len(words) - 1
	if at > 0 && len(words[at]) <= particle && irregular[words[at]] == "" {
		at = 0
	}
	all := []string{text}
	for _, form := range inflected(words[at]) {
		other := strings.Clone(form)
		if at > 0 {
			other = strings.Join(words[:at], " ") + " " + other
		}
		if at < len(words)-1 {
			other += " " + strings.Join(words[at+1:], " ")
		}
		all = append(all, other)
	}
	return all
}

func inflected(word string) []string {
	others := strings.Fields(irregular[word])
	if len(word) < shortest && len(others) == 0 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
		return others
	}
	for _, ending := range []string{"ing", "ed", "s"} {
		if strings.HasSuffix(word, ending) {
			return others
		}
	}
	stem, last := word[:len(word)-1], word[len(word)-1]
	vowel := strings.IndexByte("aeiou", word[len(word)-2]) >= 0
	switch {
	case last == 'e':
		return append(others, word+"s", word+"d", stem+"ing")
	case last == 'y' && !vowel:
		return append(others, stem+"ies", stem+"ied", word+"ing")
	case last == 'x' || last == 'z' || last == 'h':
		return append(others, word+"s", word+"es", word+"ed", word+"ing")
	case vowel && strings.IndexByte("bdglmnprt", last) >= 0:
		return append(others, word+"s", word+"ed", word+"ing", word+word[len(word)-1:]+"ed", word+word[len(word)-1:]+"ing")
	}
	return append(others, word+"s", word+"ed", word+"ing")
}
