package screening

import (
	_ "embed"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalise is a text in the form in which phrases are looked for: compatibility forms composed (NFKC), small letters
// without accents, nothing invisible, look-alikes of Latin letters as those, traditional characters as simplified
// ones, single blanks. Normalising twice changes nothing.
func Normalise(text string) string {
	text = strings.ToValidUTF8(text, " ")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cf, unicode.M), r == '\u115F', r == '\u1160', r == '\u3164', r == '\uFFA0':
			return -1
		}
		if to, ok := folded[r]; ok {
			return to
		}
		for _, enclosed := range []rune{'🅐', '🅰', '🇦'} {
			if r >= enclosed && r < enclosed+26 {
				return 'a' + r - enclosed
			}
		}
		r = unicode.ToLower(r)
		if to, ok := folded[r]; ok {
			return to
		}
		return r
	}, norm.NFKD.String(text))
	text = pictures.Replace(norm.NFKC.String(text))
	return strings.Join(strings.Fields(text), " ")
}

// traditional are the traditional characters, and on the second line what each is in simplified ones: the same as in
// the database's function person_text, by which people are found.
//
//go:embed traditional.txt
var traditional string

// lookAlikes are letters that are drawn like Latin ones, and on the second line those.
var lookAlikes = [2]string{
	"АВЕКМНОРСТУХІЈЅҮавекмнорстухіјѕԁԛԝһӏүпгѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεικνορτυχωγηøłđıɑɡɩʋᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ×єэьшѡцяσθπμδɛəŋħŧƒßօոսհ",
	"abekmhopctyxijsyabekmhopctyxijsdqwhlynrvabezhikmnoptyxabeikvoptuxwynoldiagivabcdefghijklmnoprstuvwyzxeebwwuroonudeenhtfbonuh",
}

// pictures say a word, and characters that are written in two halves are one.
var pictures = strings.NewReplacer("💰", "钱", "💵", "钱", "💴", "钱", "💸", "钱", "🤑", "钱", "📞", "电话", "☎", "电话",
	"📱", "手机", "❤", "爱", "♥", "爱", "💕", "爱", "🏠", "家", "📧", "邮箱",
	"亻昔", "借", "钅戋", "钱", "亻责", "债", "扌屯", "托", "扌戈", "找", "扌乞", "挖")

var folded = foldTable()

func foldTable() map[rune]rune {
	table := map[rune]rune{}
	add := func(from, to string) {
		into := []rune(to)
		for i, r := range []rune(from) {
			if table[into[i]] != r { // 苎 and 苧 are each other's
				table[r] = into[i]
			}
		}
	}
	from, to, _ := strings.Cut(strings.TrimSpace(traditional), "\n")
	add(from, to)
	add(lookAlikes[0], lookAlikes[1])
	for r, to := range table { // what a character becomes may itself become another
		for next, more := table[to]; more; next, more = table[to] {
			to = next
		}
		table[r] = to
	}
	return table
}
