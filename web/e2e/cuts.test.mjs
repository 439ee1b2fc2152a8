// 紧急停用 in the browser: by the keyboard within half a minute, read back from each system, one of which lies.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { approve, ask, confirming, devOf, within, launch, leave, pageOf, somebody } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

const control = (method, body) =>
  fetch(`${dev.sandbox.mail}/control/faults`, { method, headers: { Authorization: `Bearer ${dev.sandbox_control_tokens.mail}` }, body })

test('somebody is cut by the keyboard, a system that lies is shown as not off, a second person confirms, two open again', async () => {
  const person = await somebody(dev, 'CN-005', async (p) => (await ask(dev, `employees/${p.id}/accounts`)).items.length === 3)
  await control('PUT', JSON.stringify({ rules: [{ match: { operation: 'disable', employee_no: person.employee_no }, kind: 'lie' }] }))
  const page = await pageOf(browser, dev, 'it_ops', { base, width: 360, height: 720 })
  const errors = []
  page.on('console', (m) => m.type() === 'error' && !/409|403|401/.test(m.text()) && errors.push(m.text()))
  await page.goto(`${base}/console/`)
  await page.locator('h1').first().waitFor()
  const began = Date.now()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').first().waitFor()
  await page.keyboard.type('紧急停用')
  await page.getByRole('option', { name: /^紧急停用 / }).first().waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/cuts\/new/)
  const who = page.getByRole('combobox', { name: '停用谁的账号' })
  await who.focus()
  await page.keyboard.type(person.employee_no, { delay: 30 })
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option', { hasText: person.employee_no }).first().waitFor()
  await page.keyboard.press('Enter')
  const red = page.getByRole('button', { name: new RegExp(`立即停用.*${person.employee_no}.*的账号`) })
  await red.waitFor()
  assert.equal(await page.getByRole('checkbox', { name: '已与本人谈话' }).isChecked(), false)
  await page.getByLabel('原因').focus()
  await page.keyboard.type('泄露客户名单')
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, 'the page scrolls sideways at 360 px')
  if (process.env.SHOT) await page.screenshot({ path: `${process.env.SHOT}-new.png`, fullPage: true })
  await red.focus()
  await page.keyboard.press('Enter')
  await confirming(page, dev, 'it_ops', page.getByRole('heading', { level: 1, name: /紧急停用 ·/ }))
  for (const system of ['finance', 'attendance']) await page.locator(`[data-system=${system}]`).getByText('已停用并核实').waitFor()
  within(30, 'cut, and read back in two systems', began)
  await page.locator('[data-system=mail]').getByText('仍可使用').waitFor()
  await control('DELETE') // it obeys the next try
  await page.getByText('门禁卡').waitFor()
  await page.getByText('尚未登记谈话').waitFor()
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, 'the page scrolls sideways at 360 px')
  if (process.env.SHOT) await page.screenshot({ path: `${process.env.SHOT}-cut.png`, fullPage: true })
  const address = new URL(page.url()).pathname
  assert.deepEqual(errors, [])

  const second = await pageOf(browser, dev, 'reviewer', { base })
  await second.goto(base + address)
  await second.getByRole('button', { name: '确认停用' }).click()
  await confirming(second, dev, 'reviewer', second.getByText('已停用，已确认').first())
  if (process.env.SHOT) await second.screenshot({ path: `${process.env.SHOT}-second.png`, fullPage: true })

  await page.getByText('已停用，已确认').first().waitFor() // it hears of it
  await page.getByRole('button', { name: '申请恢复账号' }).click()
  await page.getByRole('dialog').getByRole('button', { name: '申请恢复账号' }).click()
  await confirming(page, dev, 'it_ops', page.getByText('已申请恢复，等第二人同意').first())
  await approve(browser, dev, base, 'hr_admin', new URL(await page.getByRole('link', { name: '打开申请' }).getAttribute('href'), base).pathname)
  await page.getByText(/同意后恢复/).first().waitFor()
  for (const system of ['mail', 'finance', 'attendance']) await page.locator(`[data-system=${system}]`).getByText('可以使用', { exact: true }).waitFor()
  if (process.env.SHOT) await page.screenshot({ path: `${process.env.SHOT}-lifted.png`, fullPage: true })
  await page.context().close()
  await second.context().close()
})
