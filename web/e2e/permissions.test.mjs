// Permissions changed by the keyboard and by the mouse, sent with a confirmation that it is oneself, and decided by a
// second person.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { confirming, devOf, launch, leave, pageOf } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

/** Adds somebody to a column by its search. */
async function add(page, column, number) {
  const box = column.getByRole('combobox')
  await box.click()
  await box.fill(number)
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option', { hasText: number }).first().click()
  await column.getByRole('button', { name: new RegExp(number) }).first().waitFor()
}

const member = (column, number) => column.locator('.grip', { hasText: number })

async function send(page, user) {
  await page.getByLabel('给审核人的说明').fill('薪酬核对由专人负责')
  await page.getByRole('button', { name: '提交审核' }).click()
  await confirming(page, dev, user, page.getByText('已提交，等待第二人审核').first())
  await page.getByText('还没有改动。').waitFor()
}

async function approve(user, then) {
  const page = await pageOf(browser, dev, user, { base })
  await page.goto(`${base}/console/approvals`)
  await page.locator('#content a[href*="/approvals/"]', { hasText: '变更敏感信息查阅权限' }).first().click()
  await page.getByRole('button', { name: '同意并执行' }).click()
  await confirming(page, dev, user, page.getByText('已同意，并已执行').first())
  await page.goto(`${base}/console/permissions`)
  await page.getByText(then).waitFor()
  await page.context().close()
}

test('nobody configures before two people say who', async () => {
  const page = await pageOf(browser, dev, 'second_hr_admin', { base })
  const me = await (await fetch(`${dev.api}/api/v1/me`, { headers: { Authorization: `Bearer ${dev.tokens.hr_admin}` } })).json()
  await page.goto(`${base}/console/permissions`)
  await add(page, page.getByRole('region', { name: '可以提出改动的人' }), me.employee_no)
  await send(page, 'second_hr_admin')
  await page.context().close()
  await approve('reviewer', '当前第 1 版')
})

test('a person is put into a tier by the keyboard, by the mouse and by a click; two people make it so', async () => {
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  await page.goto(`${base}/console/permissions`)
  await page.getByRole('button', { name: '新增层级' }).click()
  await page.getByLabel('名称（中文）').fill('薪酬专员')
  await page.getByLabel('名称（英文）').fill('Payroll specialists')
  await page.getByRole('dialog').getByRole('button', { name: '新增层级' }).click()
  const tier = page.getByRole('region', { name: '薪酬专员' })
  const usual = page.getByRole('region', { name: '受保护人员' })
  await add(page, usual, 'CN-0011')

  // By the keyboard: picked up, carried to the new tier, dropped; a screen reader hears it.
  await member(usual, 'CN-0011').focus()
  const said = page.locator('[id^="DndLiveRegion"]')
  const says = (text) => said.filter({ hasText: text }).first().waitFor({ state: 'attached' })
  await page.keyboard.press('Space')
  await says(/CN-0011/)
  await page.keyboard.press('ArrowLeft')
  await says(/CN-0011.*薪酬专员/)
  await page.keyboard.press('Space')
  await member(tier, 'CN-0011').waitFor()
  await says(/CN-0011.*薪酬专员/)

  // By the mouse: back again.
  await member(tier, 'CN-0011').scrollIntoViewIfNeeded()
  const from = await member(tier, 'CN-0011').boundingBox()
  const to = await usual.boundingBox()
  await page.mouse.move(from.x + 20, from.y + 10)
  await page.mouse.down()
  await page.mouse.move(from.x + 40, from.y + 20, { steps: 4 })
  await page.mouse.move(to.x + 60, to.y + 60, { steps: 12 })
  await page.mouse.up()
  await member(usual, 'CN-0011').waitFor()

  // By clicks alone.
  await usual.getByRole('button', { name: /移到.*CN-0011/ }).click()
  await page.getByRole('menuitem', { name: '薪酬专员' }).click()
  await member(tier, 'CN-0011').waitFor()

  // What the tier may see.
  await page.getByRole('tab', { name: '层级的权限' }).click()
  await page.getByRole('combobox', { name: '层级' }).click()
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option', { hasText: '薪酬专员' }).click()
  await page.getByRole('combobox', { name: /薪酬专员, 薪酬核对与更正, 薪酬与银行账户/ }).click()
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option', { hasText: /^可查阅$/ }).click()
  await page.getByText('“薪酬专员”· 薪酬与银行账户 · 薪酬核对与更正：不可查阅 → 可查阅').waitFor()

  await send(page, 'hr_admin')
  await page.context().close()
  await approve('reviewer', '当前第 2 版')
  const look = await pageOf(browser, dev, 'reviewer', { base })
  await look.goto(`${base}/console/permissions`)
  await look.getByRole('region', { name: '薪酬专员' }).getByText('CN-0011').waitFor()
  await look.context().close()
})
