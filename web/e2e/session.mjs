// A browser that is logged in as one of the people of `make run`, whose passwords .data/dev.json has.
import { createHmac } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

/** The six digits of an authenticator (RFC 6238), as many steps ahead. */
export function totp(secret, ahead = 0) {
  const bits = [...secret.replace(/=+$/, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead))
  const mac = createHmac('sha1', key).update(step).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--lang=zh-CN'] })

/** A cookie of the person's session; a code of an authenticator works once, so that it is kept for the next run. */
export async function cookieOf(dev, name) {
  const kept = join(tmpdir(), `lethe-console-${new URL(dev.api).port}-${name}.json`)
  if (existsSync(kept)) {
    const cookie = JSON.parse(readFileSync(kept, 'utf8'))
    const me = await fetch(`${dev.api}/api/v1/me`, { headers: { Cookie: `${cookie.name}=${cookie.value}` } })
    if (me.ok) return cookie
  }
  const { login, password, totp_secret } = dev.users[name]
  for (let ahead = 0; ; ahead = ahead === 0 ? 1 : 0) {
    const answer = await fetch(`${dev.api}/api/v1/sessions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ login, password, totp: totp(totp_secret, ahead) }),
    })
    if (answer.ok) {
      const [name, value] = answer.headers.getSetCookie()[0].split(';')[0].split('=')
      const cookie = { name, value, url: dev.api }
      writeFileSync(kept, JSON.stringify(cookie), { mode: 0o600 })
      return cookie
    }
    if (answer.status !== 401) throw new Error(`logging in as ${name}: ${await answer.text()}`)
    await new Promise((later) => setTimeout(later, 5_000)) // the code was used
  }
}

/** A page of a logged-in person. */
export async function pageOf(browser, dev, name, { language = 'zh', width = 1440, height = 900, base = dev.api } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: language === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'Asia/Shanghai' })
  await context.addInitScript((l) => localStorage.setItem('lethe.language', l), language)
  if (name) await context.addCookies([{ ...(await cookieOf(dev, name)), url: base }])
  const page = await context.newPage()
  page.setDefaultTimeout(Number(process.env.PATIENCE ?? 20_000))
  return page
}

/** Confirms that it is oneself, by the password, if that is asked for before `done` is there. */
export async function confirming(page, dev, user, done) {
  const dialog = page.getByRole('dialog', { name: /请确认是您本人|confirm that it is you/ })
  await Promise.race([dialog.waitFor(), done.waitFor()])
  if (await dialog.isVisible()) {
    await dialog.getByText(/^(密码|Password)$/).click()
    await dialog.locator('input[type=password]').fill(dev.users[user].password)
    await dialog.getByRole('button', { name: /^(确\s?认|Confirm)$/ }).click()
  }
  await done.waitFor()
}
