// 账号核对 in the browser: what a system has otherwise than the facts, found by hand at once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { devOf, launch, leave, pageOf } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

const control = async (path, method, body) => {
  const headers = { Authorization: `Bearer ${dev.sandbox_control_tokens.finance}`, 'Content-Type': 'application/json' }
  const answer = await fetch(`${dev.sandbox.finance}/control/${path}`, { method, headers, body: body && JSON.stringify(body) })
  assert.ok(answer.ok, `${path}: ${answer.status}`)
}

test('an account that is nobody’s is found, and is over when it is gone', async () => {
  const page = await pageOf(browser, dev, 'it_ops', { base, width: 360, height: 720 })
  const errors = []
  page.on('console', (m) => m.type() === 'error' && errors.push(m.text()))
  await page.goto(`${base}/console/reconciliation`)
  const finance = page.locator('.ant-card', { has: page.getByRole('heading', { level: 3, name: /财务/ }) })
  const now = async () => {
    await page.getByRole('button', { name: /立即核对/ }).click()
    await page.getByText(/正在核对/).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: /立即核对/ }).waitFor()
  }
  await control('accounts', 'POST', { items: [{ id: 'stranger-1', employee_no: 'NOBODY-1' }] })
  await now()
  await finance.getByText(/不知属于谁的账号/).waitFor()
  await page.getByText('账号编号：stranger-1').waitFor()
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, 'the page scrolls sideways at 360 px')

  await control('accounts/stranger-1', 'DELETE')
  await now()
  await page.getByText('账号编号：stranger-1').waitFor({ state: 'detached' })
  assert.deepEqual(errors, [])
  await page.context().close()
})
