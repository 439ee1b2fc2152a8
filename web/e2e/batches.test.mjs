// Departures of many people by a file, and what is seen before one departure: its dry run, and who takes over.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { ask, confirming, day, devOf, launch, leave, pageOf, somebody, until, within } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

describe('many departures, and one looked at closely', { concurrency: true }, () => {
  test('a file is tried out, released, paused, and carried out', async () => {
    const people = [await somebody(dev, 'CN-010'), await somebody(dev, 'CN-010'), await somebody(dev, 'CN-010')]
    // More rows than are begun at once (two parts of fifty), most of them wrong, so that there is something to pause.
    const wrong = Array.from({ length: 120 }, (_, i) => `XX-${1000 + i},,辞职,${day(20)}`)
    const file = ['工号,姓名,离职类型,最后工作日', ...people.map((p) => `${p.employee_no},${p.name},辞职,${day(20)}`), ...wrong].join('\n')
    const began = Date.now()
    const page = await pageOf(browser, dev, 'hr_admin', { base })
    const errors = []
    // To ask for a release one confirms that it is oneself, which is a refusal at first.
    page.on('console', (m) => m.type() === 'error' && !/\b403\b/.test(m.text()) && errors.push(m.text()))
    await page.goto(`${base}/console/departures/batch`)
    await page.locator('input[type=file]').setInputFiles({ name: 'leavers.csv', mimeType: 'text/csv', buffer: Buffer.from(file) })
    const ask3 = page.getByRole('button', { name: '提交审核：3 人离职' })
    await ask3.waitFor()
    await page.getByText(people[0].employee_no).first().waitFor()
    await page.getByRole('switch', { name: '只看有问题的' }).click()
    await page.getByText(people[0].employee_no).first().waitFor({ state: 'detached' })
    await page.getByText('工号：不存在').first().waitFor()
    await page.getByLabel('给审核人的说明').fill('关闭站点')
    await ask3.click()
    await confirming(page, dev, 'hr_admin', page.getByRole('link', { name: '查看申请' }))
    assert.equal((await ask(dev, `departures?employee_id=${people[0].id}`)).items.length, 0, 'nothing begins before it is released')

    const request = new URL(await page.getByRole('link', { name: '查看申请' }).getAttribute('href'), base).pathname
    const second = await pageOf(browser, dev, 'reviewer', { base })
    await second.goto(base + request)
    await second.getByRole('button', { name: '同意并执行' }).click()
    await confirming(second, dev, 'reviewer', second.getByText('已同意，并已执行').first())
    await second.context().close()

    // Nobody reloads: the page hears that it runs.
    await page.getByRole('button', { name: /^暂\s?停$/ }).click()
    await page.getByText(/已暂停：已处理/).waitFor()
    await page.getByRole('button', { name: '继续办理' }).click()
    await page.getByRole('heading', { name: '办理结果' }).waitFor()
    await page.getByText('已完成', { exact: true }).waitFor()
    for (const p of people) assert.equal((await ask(dev, `departures?employee_id=${p.id}`)).items.length, 1)
    assert.deepEqual(errors, [])
    within(20, 'a batch of departures', began)
    await page.context().close()
  })

  test('a departure is tried out, begun, and what the person looks after is handed over', async () => {
    const mine = await Promise.all(Object.keys(dev.tokens).map(async (role) => (await ask(dev, 'me', role)).employee_id))
    const { items } = await ask(dev, 'departments?limit=200')
    const heads = new Map(items.filter((d) => d.head && !mine.includes(d.head.employee_id)).map((d) => [d.head.employee_id, d.head]))
    let head
    for (const h of [...heads.values()].filter((h) => h.employee_no.startsWith('CN-')).reverse()) if (!head && (await ask(dev, `employees/${h.employee_id}`)).status === 'active') head = h
    const began = Date.now()
    const page = await pageOf(browser, dev, 'hr_admin', { base })
    const errors = []
    page.on('console', (m) => m.type() === 'error' && errors.push(m.text()))
    await page.goto(`${base}/console/departures/new?person=${head.employee_id}`)
    await page.getByLabel('最后工作日').first().fill(day(14))
    await page.keyboard.press('Enter')
    await page.getByText(/没有接手人的事项/).waitFor()
    await page.getByRole('button', { name: '试运行' }).click()
    const dialog = page.getByRole('dialog', { name: '试运行' })
    await dialog.getByRole('heading', { level: 4 }).first().waitFor() // a system that was asked
    assert.equal((await ask(dev, `departures?employee_id=${head.employee_id}`)).items.length, 0, 'a dry run begins nothing')
    await dialog.getByRole('button', { name: /^关\s?闭$/ }).last().click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: /^发起离职：/ }).click()
    await page.waitForURL(/departures\/[0-9a-f-]{36}/)

    const card = page.getByRole('region', { name: '部门负责人' })
    await card.getByText('无接手人').waitFor()
    const successor = await somebody(dev, 'CN-011')
    await page.getByRole('combobox', { name: /^接手人/ }).fill(successor.employee_no)
    await page.locator('.ant-select-dropdown:visible .ant-select-item-option', { hasText: successor.employee_no }).click()
    await card.getByText(successor.employee_no).waitFor()
    await card.getByText('无接手人').waitFor({ state: 'detached' })
    await until('somebody is named', async () => (await ask(dev, `employees/${head.employee_id}/holdings`)).successor)
    assert.deepEqual(errors, [])
    within(20, 'a dry run and a successor', began)
    await page.context().close()
  })
})
