// What stands before the first screen: what is loaded for it, and how long until it can be used.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { devOf, launch, leave, pageOf, within } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

// The first screen of all is the login; the work bench comes with the frame around every screen, and with its charts.
for (const [who, most, ready] of [
  [undefined, 300, (page) => page.getByRole('button', { name: /^登\s*录$/ })],
  ['hr_admin', 650, (page) => page.getByRole('heading', { level: 1, name: '工作台' })],
]) {
  test(`the first screen of ${who ?? 'whoever logs in'} is there within a second, of less than ${most} KB`, async () => {
    const page = await pageOf(browser, dev, who, { base })
    const network = await page.context().newCDPSession(page)
    await network.send('Network.enable')
    await network.send('Network.setCacheDisabled', { cacheDisabled: true })
    let bytes = 0
    network.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength))
    const began = Date.now()
    await page.goto(`${base}/console/`, { waitUntil: 'commit' })
    await ready(page).waitFor()
    await ready(page).click({ trial: true })
    within(1, `the first screen of ${who ?? 'whoever logs in'}, ${(bytes / 1024).toFixed(0)} KB`, began)
    if (!who) await page.waitForLoadState('networkidle') // nothing comes after it
    assert.ok(bytes > 20_000 && bytes < most * 1024, `${bytes} bytes`)
    await page.context().close()
  })
}
