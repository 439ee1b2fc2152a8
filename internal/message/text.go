package message

import (
	"fmt"
	"strings"

	"lethe/internal/i18n"
	"lethe/internal/identity"
)

// named is who asks, by the own word.
type named struct{ name, contact string }

// write is the mail's subject and text: fixed, without the matter, in both languages.
func write(companyZh, companyEn string, asker *named) (subject, text string) {
	part := func(l i18n.Language, company string) string {
		who := i18n.Text(l, "message.nobody_named")
		if asker != nil {
			who = fmt.Sprintf(i18n.Text(l, "message.named"), asker.name, asker.contact)
		}
		return fmt.Sprintf(i18n.Text(l, "message.text"), company, who)
	}
	subject = i18n.Text(i18n.Chinese, "message.subject") + " / " + i18n.Text(i18n.English, "message.subject")
	return subject, part(i18n.Chinese, companyZh) + "\n\n----\n\n" + part(i18n.English, companyEn) + "\n"
}

// writeLink is the mail that brings a link. Its code stands behind the #, which no browser sends to a server by itself.
func writeLink(companyZh, companyEn, base, code string) (subject, text string) {
	part := func(l i18n.Language, company string) string {
		where := fmt.Sprintf(i18n.Text(l, "message.link_code"), code)
		if base != "" {
			where = i18n.Text(l, "message.link_open") + "\n\n" + strings.TrimRight(base, "/") + "/former#" + code
		}
		return fmt.Sprintf(i18n.Text(l, "message.link_text"), company, where, int(identity.LinkLasts.Minutes()))
	}
	subject = i18n.Text(i18n.Chinese, "message.link_subject") + " / " + i18n.Text(i18n.English, "message.link_subject")
	return subject, part(i18n.Chinese, companyZh) + "\n\n----\n\n" + part(i18n.English, companyEn) + "\n"
}
