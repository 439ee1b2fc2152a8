// What bad input gets: the screen says what happened, in words, loses nothing that was typed, and does things once.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { ask, confirming, cookieOf, day, devOf, launch, leave, logIn, pageOf, somebody, workbook } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

const unique = () => `争议 ${Date.now()} ${Math.round(Math.random() * 1e6)}`
const held = async (matter) => (await ask(dev, 'holds?active=true&limit=200')).items.filter((h) => h.matter === matter).length

/** The form of a hold about somebody, filled. */
async function holding(page, person, matter) {
  await page.goto(`${base}/console/retention?tab=holds`)
  await page.getByRole('button', { name: '暂停删除' }).click()
  const form = page.getByRole('dialog', { name: '暂停删除' })
  const who = form.getByRole('combobox', { name: '员工' })
  await who.click()
  await who.fill(person.employee_no)
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option', { hasText: person.employee_no }).first().click()
  await form.locator('.ant-alert', { hasText: person.employee_no }).waitFor() // the form has them
  await form.getByLabel('案号或事由编号').fill(matter)
  return { form, send: form.getByRole('button', { name: '暂停删除' }), card: page.locator('.ant-card', { hasText: matter }).first(), kept: () => form.getByLabel('案号或事由编号').inputValue() }
}

test('a session that ends in the middle of a form is begun again, and the form goes on', async () => {
  const page = await pageOf(browser, dev, 'second_hr_admin', { base })
  const matter = unique()
  const { send, card, kept } = await holding(page, await somebody(dev, 'CN-004'), matter)
  await page.context().clearCookies()
  await send.click()
  const dialog = page.getByRole('dialog', { name: /登录已失效/ })
  await dialog.waitFor()
  assert.equal(await kept(), matter, 'what was typed is there behind the dialog')
  assert.equal(await held(matter), 0)
  await logIn(page, dev, 'second_hr_admin', dialog)
  await dialog.waitFor({ state: 'detached' })
  await confirming(page, dev, 'second_hr_admin', card)
  assert.equal(await held(matter), 1)
  await page.context().close()
})

test('a network that is cut before or after the command: it is done once', async () => {
  const person = await somebody(dev, 'CN-004')
  for (const effect of [false, true]) {
    const page = await pageOf(browser, dev, 'hr_admin', { base })
    const matter = unique()
    const { form, send, card, kept } = await holding(page, person, matter)
    await page.route('**/api/v1/holds', async (route) => {
      if (route.request().method() !== 'POST') return route.continue()
      // As the browser sends it: that it comes from the same site is not a header of the page's.
      if (effect) await route.fetch({ headers: { ...route.request().headers(), 'sec-fetch-site': 'same-origin' } })
      await route.abort('connectionreset')
    })
    await send.click()
    const said = form.getByText('没有收到答复')
    await confirming(page, dev, 'hr_admin', said)
    assert.equal(await kept(), matter)
    assert.equal(await held(matter), effect ? 1 : 0)
    await page.unroute('**/api/v1/holds')
    await send.click()
    await card.waitFor()
    assert.equal(await held(matter), 1, `cut ${effect ? 'after' : 'before'} the effect`)
    await page.context().close()
  }
})

test('pressed twice, it is done once', async () => {
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  const matter = unique()
  const { send, card } = await holding(page, await somebody(dev, 'CN-004'), matter)
  const sent = []
  page.on('request', (r) => r.method() === 'POST' && r.url().endsWith('/api/v1/holds') && sent.push(r))
  await send.dblclick()
  await confirming(page, dev, 'hr_admin', card)
  await Promise.all(sent.map((r) => r.response())) // whatever was sent is answered
  assert.equal(await held(matter), 1)
  await page.context().close()
})

test('somebody was faster: the screen says so', async () => {
  const person = await somebody(dev, 'CN-004')
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  await page.goto(`${base}/console/departures/new?person=${person.id}`)
  await page.getByLabel('最后工作日').first().fill(day(20))
  await page.keyboard.press('Enter')
  const begin = page.getByRole('button', { name: /^发起离职：/ })
  await begin.waitFor()
  const other = await ask(dev, 'departures', 'hr_admin', 'POST', { employee_id: person.id, kind: 'resignation', last_working_day: day(30) })
  assert.ok(other.id, JSON.stringify(other))
  await begin.click()
  await page.getByRole('alert').first().waitFor()
  await page.getByRole('link', { name: /离职/ }).last().waitFor()
  assert.match(page.url(), /departures\/new/)
  assert.match(await page.locator('.ant-select', { hasText: person.employee_no }).first().innerText(), new RegExp(person.employee_no))
  await page.context().close()
})

test('a request that somebody else decided meanwhile', async () => {
  const maker = await pageOf(browser, dev, 'hr_admin', { base })
  const matter = unique()
  const { send, card } = await holding(maker, await somebody(dev, 'CN-004'), matter)
  await send.click()
  await confirming(maker, dev, 'hr_admin', card)
  await card.getByRole('button', { name: '申请解除' }).click()
  await maker.getByRole('dialog').getByRole('button', { name: '提交申请' }).click()
  await confirming(maker, dev, 'hr_admin', maker.getByText('已提交，等待第二人审核').first())
  const request = (await ask(dev, 'approvals?state=pending')).items.find((a) => a.operation === 'hold.release' && JSON.stringify(a.changes).includes(matter))
  const page = await pageOf(browser, dev, 'reviewer', { base })
  await page.goto(`${base}/console/approvals/${request.id}`)
  await page.locator('#content textarea').first().fill('我同意')
  await ask(dev, `approvals/${request.id}/withdrawal`, 'hr_admin', 'POST')
  await page.getByRole('button', { name: '同意并执行' }).click()
  await confirming(page, dev, 'reviewer', page.getByText('您打开之后，这条申请已经有了结果').first())
  assert.equal(await held(matter), 1)
  await page.context().close()
  await maker.context().close()
})

test('two windows: what was typed as one person is never sent as another', async () => {
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  const matter = unique()
  const { send, kept } = await holding(page, await somebody(dev, 'CN-004'), matter)
  // In another window somebody else logs in.
  const own = await page.context().cookies()
  await page.context().clearCookies()
  await page.context().addCookies([{ ...(await cookieOf(dev, 'second_hr_admin')), url: base }])
  await send.click()
  await page.getByRole('dialog', { name: '另一个窗口已换人登录' }).waitFor()
  assert.equal(await kept(), matter)
  assert.equal(await held(matter), 0)
  await page.context().clearCookies()
  await page.context().addCookies(own)
  await page.context().close()
})

test('the way back keeps the search, and no search is in the address', async () => {
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  await page.goto(`${base}/console/people`)
  await page.getByRole('searchbox').or(page.getByLabel('姓名、拼音或工号')).first().fill('CN-0031')
  await page.getByRole('link', { name: /./ }).and(page.locator('#content table a')).first().waitFor()
  await page.waitForFunction(() => document.querySelectorAll('#content tbody tr').length === 1)
  await page.locator('#content table a').first().click()
  await page.waitForURL(/people\/[0-9a-f-]{36}/)
  await page.goBack()
  await page.waitForFunction(() => document.querySelectorAll('#content tbody tr').length === 1)
  assert.ok(!page.url().includes('CN-0031'))
  // A link that has one works, and loses it.
  await page.goto(`${base}/console/people?q=CN-0032`)
  await page.waitForFunction(() => document.querySelectorAll('#content tbody tr').length === 1)
  await page.waitForFunction(() => !location.href.includes('CN-0032'))
  await page.context().close()
})

test('a workbook of 50 MB: read if it is one, else refused in words', async () => {
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  await page.goto(`${base}/console/people/import`)
  const folder = mkdtempSync(join(tmpdir(), 'lethe-workbook-'))
  const choose = (content) => {
    writeFileSync(join(folder, 'people.xlsx'), content)
    return page.locator('input[type=file]').setInputFiles(join(folder, 'people.xlsx'))
  }
  const size = 48 * 1024 * 1024
  await choose(Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(size, 7)]))
  await page.getByText(/无法读取该文件|文件超出导入的限制/).first().waitFor()
  await page.reload()
  await choose(workbook([['工号', '姓名', '部门', '入职日期'], [`CN-W${Date.now()}`, '大文件', 'CN-RD', '2025-03-01']], size))
  await page.getByText('试算结果').first().waitFor()
  rmSync(folder, { recursive: true })
  await page.context().close()
})

test('the service is away: the screen says so, and goes on when it is back', async () => {
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  const matter = unique()
  const { form, send, card, kept } = await holding(page, await somebody(dev, 'CN-004'), matter)
  const problem = { type: 'urn:lethe:problem:ledger_unavailable', title: '日志暂不可用', detail: '没有执行任何操作。', hint: '请稍后重试。', status: 503, code: 'ledger_unavailable' }
  await page.route('**/api/v1/holds', (route) => (route.request().method() === 'POST' ? route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(problem) }) : route.continue()))
  await send.click()
  await form.getByText('日志暂不可用').waitFor()
  assert.equal(await kept(), matter)
  await page.unroute('**/api/v1/holds')
  await send.click()
  await confirming(page, dev, 'hr_admin', card)
  assert.equal(await held(matter), 1)
  await page.context().close()
})
