package screening_test

import (
	"fmt"

	"lethe/internal/i18n"
	"lethe/internal/screening"
)

// The same purpose, a fact and a debt; the second is written so that it is not found.
func ExamplePack_Screen() {
	pack := screening.Builtin()
	for _, reason := range []string{"今天上午在车间晕倒，已由120送医，需联系家属", "他 q 我 钱 不 还，要他父母电话", "。"} {
		f := pack.Screen(reason, "medical_emergency")
		fmt.Printf("%s %q %q\n", f.Verdict, f.Category, f.Doubt)
		for _, rule := range f.Rules[:min(1, len(f.Rules))] {
			fmt.Println(" ", pack.Sentence(rule, i18n.English))
		}
	}
	// Output:
	// ok "" ""
	// refused "private_debt" ""
	//   The reason is about money that somebody owes somebody else in private.
	// review "" "says_nothing"
}
