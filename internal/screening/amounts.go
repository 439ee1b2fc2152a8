package screening

import (
	"slices"
	"strings"
)

// numerals are the characters that numbers are written with.
const numerals = "一二两三四五六七八九十几百千万半"

// amounts are the sums of money in a text: $900, 5k, 两万, 3000 元.
func amounts(all []token) []found {
	var sums []found
	for i, t := range all {
		to := i
		switch {
		case t.kind != han && isSum(t.text):
		case isFigure(t) && i+1 < len(all) && slices.Contains(units, all[i+1].text):
			to = i + 1
		default:
			continue
		}
		sums = append(sums, found{from: i, to: to})
	}
	return sums
}

// isSum says whether a word is figures with a sign of money before them, or k or w after.
func isSum(word string) bool {
	figures := strings.TrimLeft(word, "$€£")
	if figures == word {
		figures = strings.TrimRight(word, "kw")
	}
	return figures != "" && figures != word && strings.Trim(figures, "0123456789k") == ""
}

func isFigure(t token) bool {
	return t.kind == number || t.kind == han && strings.Contains(numerals, t.text)
}

// units are what follows the figures of a sum of money.
var units = []string{"元", "块", "万", "千", "欧", "刀", "镑", "$", "euros", "euro", "pounds", "dollars", "bucks", "quid", "eur", "usd", "rmb", "yuan", "grand"}
