// A departure in the browser: from the form to the last deleted field, annulled by two people, and a stuck account solved.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { confirming, day, devOf, within, launch, leave, pageOf, somebody } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

/** Fills the form by the keyboard; the last thing that is pressed sends it. */
async function fill(page, number, { now = false } = {}) {
  await page.goto(`${base}/console/departures/new`)
  const who = page.getByRole('combobox', { name: '员工' })
  await who.focus()
  await page.keyboard.type(number, { delay: 60 })
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option', { hasText: number }).first().waitFor()
  await page.keyboard.press('Enter')
  if (now) await page.getByText('现在就停用账号', { exact: true }).first().click()
  else {
    await page.getByLabel('最后工作日').first().focus()
    await page.keyboard.type(day(14), { delay: 60 })
    await page.keyboard.press('Enter')
  }
}

async function leaveNow(page) {
  await page.getByRole('button', { name: '立即停用账号并结束劳动关系' }).click()
  await confirming(page, dev, 'hr_admin', page.locator('[data-tour=retentionTrack]')) // the screen of the departure
  await page.waitForURL(/departures\/[0-9a-f-]{36}/)
}

// They wait for the server most of the time, and are about different people.
describe('departures', { concurrency: true }, () => {
  test('an ordinary resignation is begun by the keyboard within half a minute', async () => {
    const { employee_no: number } = await somebody(dev, 'CN-007')
    const page = await pageOf(browser, dev, 'hr_admin', { base })
    await page.goto(`${base}/console/`)
    await page.locator('h1').first().waitFor()
    const sent = []
    page.on('request', (r) => r.method() === 'POST' && /\/departures$/.test(new URL(r.url()).pathname) && sent.push(r.url()))
    const began = Date.now()
    await fill(page, number)
    await page.getByRole('button', { name: /^发起离职：/ }).waitFor() // what will happen is shown
    assert.match(page.url(), /departures\/new/, 'accepting a date begins nothing')
    assert.deepEqual(sent, [])
    await page.keyboard.press('Control+Enter')
    await page.waitForURL(/departures\/[0-9a-f-]{36}/)
    await page.getByText('待离职').first().waitFor()
    within(30, 'a resignation begun', began)

    // It was the wrong person: two people undo it.
    await page.getByRole('button', { name: '撤销（误操作）' }).click()
    await page.getByLabel('哪里办错了').fill('选错了人')
    await page.getByRole('dialog').getByRole('button', { name: /审核/ }).click()
    await confirming(page, dev, 'hr_admin', page.getByText('已提交，等待第二人审核').first())
    const address = page.url()
    await page.context().close()
    const second = await pageOf(browser, dev, 'reviewer', { base })
    await second.goto(`${base}/console/approvals`)
    await second.locator('#content a[href*="/approvals/"]').filter({ hasText: number }).first().click()
    await second.getByRole('button', { name: '同意并执行' }).click()
    await confirming(second, dev, 'reviewer', second.getByText('已同意，并已执行').first())
    await second.goto(address)
    await second.getByText('已撤销（误操作）').first().waitFor()
    await second.context().close()
  })

  test('somebody leaves at once, and the page tells until all is deleted', async () => {
    const { employee_no: number } = await somebody(dev, 'DEMO-001') // whose periods are seconds
    const page = await pageOf(browser, dev, 'hr_admin', { base })
    const began = Date.now()
    await fill(page, number, { now: true })
    await leaveNow(page)
    console.log(`access is cut after ${((Date.now() - began) / 1000).toFixed(1)} s`)
    // Nobody reloads: the page hears of it.
    await page.getByText('敏感信息已删除').first().waitFor()
    console.log(`all is deleted after ${((Date.now() - began) / 1000).toFixed(0)} s`)
    await page.getByText('销毁证明').first().waitFor()
    await page.context().close()
  })

  test('a stuck account becomes a case, which IT solves', async () => {
    const { employee_no: number } = await somebody(dev, 'DEMO-001')
    const control = (method, body) =>
      fetch(`${dev.sandbox.attendance}/control/faults`, { method, headers: { Authorization: `Bearer ${dev.sandbox_control_tokens.attendance}` }, body })
    await control('PUT', JSON.stringify({ rules: [{ match: { operation: 'disable', employee_no: number }, kind: 'lie' }] }))
    const hr = await pageOf(browser, dev, 'hr_admin', { base })
    await fill(hr, number, { now: true })
    await leaveNow(hr)
    await hr.getByRole('button', { name: '打开工单' }).first().waitFor()
    await control('DELETE')

    const it = await pageOf(browser, dev, 'it_ops', { base })
    await it.goto(`${base}/console/cases`)
    await it.locator('#content a[href*="/cases/"]').filter({ hasText: number }).first().click()
    await it.getByRole('radio', { name: /重试/ }).check()
    await it.getByRole('button', { name: /^提\s?交$/ }).click()
    await it.getByText('已安排重试').first().waitFor()
    await hr.getByRole('button', { name: '打开工单' }).first().waitFor({ state: 'detached' })
    await it.context().close()
    await hr.context().close()
  })
})
