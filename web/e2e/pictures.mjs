// The pictures of the READMEs, from the demo data: node e2e/stack.mjs node e2e/pictures.mjs
import { mkdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { launch, pageOf } from './session.mjs'

const dev = JSON.parse(readFileSync(process.env.DEV, 'utf8'))
const folder = resolve(import.meta.dirname, '../../docs/pictures')
mkdirSync(folder, { recursive: true })
const token = { Authorization: `Bearer ${dev.tokens.hr_admin}`, 'Content-Type': 'application/json' }
const get = async (path) => (await (await fetch(`${dev.api}/api/v1/${path}`, { headers: token })).json()).items[0]
const browser = await launch()

const person = await get('employees?q=CN-0030')
const inTwoWeeks = new Date(Date.now() + 14 * 86_400_000).toISOString().slice(0, 10)
const begun = await fetch(`${dev.api}/api/v1/departures`, { method: 'POST', headers: token, body: JSON.stringify({ employee_id: person.id, kind: 'resignation', last_working_day: inTwoWeeks }) })
const departure = await begun.json()

const words = {
  zh: { section: '紧急联系人', look: '查阅紧急联系人电话', asker: '公司外的人', who: /对方是谁/, caller: '自称借款人的来电者', purpose: '为什么事', debt: '私人债务' },
  en: { section: 'Emergency contact', look: /^Look at emergency contact.*phone/i, asker: 'Somebody outside', who: /Who it is/, caller: 'A caller who says he lent money', purpose: 'What for', debt: 'private debt' },
}
for (const [language, w] of Object.entries(words)) {
  const page = await pageOf(browser, dev, 'hr_admin', { language, width: 1280, height: 800 })
  const shot = (name) => page.screenshot({ path: `${folder}/${name}-${language}.png` })
  const settled = () => page.waitForFunction(() => document.querySelector('#content h1') && !document.querySelector('#content .ant-skeleton, #content .ant-spin-spinning'))
  await page.goto(`${dev.api}/console/`)
  await settled()
  await shot('overview')
  await page.goto(`${dev.api}/console/departures/${departure.id}`)
  await settled()
  await shot('departure')
  await page.goto(`${dev.api}/console/people/${(await get('employees?q=CN-0031')).id}`)
  await page.getByRole('tab', { name: w.section }).click()
  await page.getByRole('button', { name: w.look }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('radio', { name: w.asker }).check()
  await dialog.getByLabel(w.who).fill(w.caller)
  await dialog.getByRole('combobox', { name: w.purpose }).click()
  await page.locator('.ant-select-dropdown:visible').getByText(w.debt, { exact: true }).first().click()
  await page.waitForTimeout(600)
  await shot('look')
  await page.context().close()
}
await browser.close()
