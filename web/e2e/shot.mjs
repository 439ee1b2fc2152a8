// node e2e/shot.mjs USER PATH FILE.png [zh|en] [WIDTH] [BASE]: how a screen looks to somebody.
import { readFileSync } from 'node:fs'
import { launch, pageOf } from './session.mjs'

const [user, path, file, language = 'zh', width = '1440', base] = process.argv.slice(2)
const dev = JSON.parse(readFileSync(process.env.DEV ?? '../.data/dev.json', 'utf8'))
const browser = await launch()
const page = await pageOf(browser, dev, user === '-' ? undefined : user, { language, width: Number(width), base: base ?? dev.api })
page.on('console', (m) => ['error', 'warning'].includes(m.type()) && console.log(`console ${m.type()}: ${m.text()}`))
page.on('pageerror', (e) => console.log(`page error: ${e.message}`))
await page.goto(`${base ?? dev.api}/console/${path}`, { waitUntil: 'networkidle' }).catch(() => undefined)
await page.waitForTimeout(700)
await page.screenshot({ path: file, fullPage: true })
await browser.close()
