// What HR and reviewers do beside departures: a message passed on, people imported, deletions held and let go, reviewed.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { approve, ask, confirming, day, devOf, launch, leave, pageOf, somebody, until } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

test('a message is passed on, and whoever asked learns nothing', async () => {
  const person = await somebody(dev, 'CN-003')
  const address = `private-${Date.now()}@inbox.example`
  await ask(dev, `employees/${person.id}`, 'hr_admin', 'PATCH', { fields: { personal_email: address } })
  const { version } = (await ask(dev, 'privacy-policies')).items[0]
  await ask(dev, 'consents', 'hr_admin', 'POST', { employee_id: person.id, policy_version: version, answers: [{ purpose: 'message_passing', agreed: true }], paper: { signed_on: day(-1), kept_at: '档案柜 1' } })
  const gone = await ask(dev, 'departures', 'hr_admin', 'POST', { employee_id: person.id, kind: 'resignation', immediate: true })
  assert.ok(gone.id, JSON.stringify(gone))
  await until('they have left', async () => (await ask(dev, `employees/${person.id}`)).status === 'departed')

  const page = await pageOf(browser, dev, 'hr_admin', { base })
  await page.goto(`${base}/console/pleas?about=${person.id}`)
  await page.getByRole('tab', { name: '代为转达' }).click()
  await page.getByRole('button', { name: '代为转达' }).click()
  await page.getByText('已登记转达').first().waitFor()
  await until('the mail came in', async () => (await (await fetch(dev.inbox)).json()).items.some((m) => JSON.stringify(m).includes(address)))
  // HR hears that it was sent, and never where to.
  await page.reload()
  await page.getByRole('tab', { name: '代为转达' }).click()
  await page.getByText('邮件服务器已接收').first().waitFor()
  assert.ok(!(await page.content()).includes(address))

  // Once more within the month is too often; the screen says what to tell.
  await page.getByRole('button', { name: '代为转达' }).click()
  await page.getByText('近期已转达过').first().waitFor()
  await page.context().close()
})

test('people are imported: columns, dry run, a second person, and one who left long ago is reviewed', async () => {
  const mark = String(Date.now()).slice(-6)
  const file = [
    '工号,姓名,部门,岗位,入职日期,家里电话,离职日期,离职类型',
    `CN-N${mark}1,新来的,CN-RD,工程师,2025-03-01,13900001111,,`,
    `CN-N${mark}2,没有部门,CN-NOWHERE,工程师,2025-03-01,13900002222,,`,
    `CN-N${mark}3,早已离开,CN-RD,工程师,2005-03-01,13900003333,2009-03-01,辞职`,
  ].join('\n')
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  await page.goto(`${base}/console/people/import`)
  await page.locator('input[type=file]').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(file) })
  await page.getByRole('heading', { name: '试算结果' }).or(page.getByRole('heading', { name: '各列是什么' })).first().waitFor()

  // One column has a name that nobody knows: HR says what it is.
  const column = page.getByRole('combobox', { name: /对应的信息项: 家里电话/ })
  await column.waitFor()
  await column.click()
  await column.fill('紧急联系人电话')
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option', { hasText: /^紧急联系人电话$/ }).click()
  await page.getByRole('button', { name: '按此重新试算' }).click()
  await page.getByText('有问题，不导入').waitFor()
  await page.getByText(/其中 1 人此前已离职/).waitFor()
  const number = (title) => page.locator('.ant-statistic', { hasText: title }).locator('.ant-statistic-content').innerText()
  assert.equal(await number('新员工'), '2')
  assert.equal(await number('有问题，不导入'), '1')
  await page.locator('table', { hasText: '部门' }).first().waitFor()
  assert.ok(!(await page.content()).includes('13900002222'), 'no value of the file is shown')

  await page.getByLabel('给审核人的说明').fill('旧系统迁移')
  await page.getByRole('button', { name: '导入 2 人' }).click()
  await confirming(page, dev, 'hr_admin', page.getByText('等第二人审核').first())
  // The way to the request is there after a reload, too.
  await page.reload()
  const request = page.getByRole('link', { name: '查看申请' })
  await request.waitFor()
  const address = await request.getAttribute('href')
  assert.match(address, /approvals\/[0-9a-f-]{36}/)
  await approve(browser, dev, base, 'reviewer', address)
  await page.getByText('导入结果').first().waitFor()
  await page.locator('.ant-statistic', { hasText: '已新增' }).waitFor()

  // What is kept of who left long ago is due, and goes only when a reviewer says so.
  const left = await until('who left long ago is entered', async () => (await ask(dev, `employees?q=CN-N${mark}3`)).items[0])
  await until('their data waits for a review', async () => (await ask(dev, `purges?employee_id=${left.id}&state=in_review`, 'reviewer')).items.length > 0)
  const reviewer = await pageOf(browser, dev, 'reviewer', { base })
  await reviewer.goto(`${base}/console/retention?tab=purges&person=${left.id}`)
  await reviewer.getByRole('button', { name: '同意删除' }).first().click()
  await reviewer.getByRole('dialog').getByRole('button', { name: '同意删除' }).click()
  await confirming(reviewer, dev, 'reviewer', reviewer.getByText('已同意，正在删除').first())
  await reviewer.context().close()
  await page.context().close()
})

test('a hold is placed by one, and released by two', async () => {
  const person = await somebody(dev, 'CN-003')
  const matter = `劳动争议仲裁 ${Date.now()}`
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  await page.goto(`${base}/console/retention?tab=holds`)
  await page.getByRole('button', { name: '暂停删除' }).click()
  const drawer = page.getByRole('dialog')
  const who = drawer.getByRole('combobox', { name: '员工' })
  await who.click()
  await who.fill(person.employee_no)
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option', { hasText: person.employee_no }).first().click()
  await drawer.getByLabel('案号或事由编号').fill(matter)
  await drawer.getByText(new RegExp(`${person.name}.*${person.employee_no}`)).last().waitFor() // what will happen is said
  await drawer.getByRole('button', { name: '暂停删除' }).click()
  const card = page.locator('.ant-card', { hasText: matter }).first()
  await confirming(page, dev, 'hr_admin', card)

  await card.getByRole('button', { name: '申请解除' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('给审核人的说明').fill('仲裁已结束')
  await dialog.getByRole('button', { name: '提交申请' }).click()
  await confirming(page, dev, 'hr_admin', page.getByText('已提交，等待第二人审核').first())
  await card.waitFor() // it holds until somebody else agrees
  const { items } = await ask(dev, 'approvals?state=pending')
  const request = items.find((a) => a.operation === 'hold.release' && JSON.stringify(a.changes).includes(matter))
  await approve(browser, dev, base, 'reviewer', `/console/approvals/${request.id}`)
  await page.reload()
  await page.getByRole('heading', { level: 1 }).waitFor()
  await card.waitFor({ state: 'detached' })
  await page.context().close()
})

test('a look that nobody had to agree to is reviewed by a second person', async () => {
  const person = await somebody(dev, 'CN-003')
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  // HR looked in an emergency.
  await page.goto(`${base}/console/help`)
  const post = (path, body) =>
    page.evaluate(async ([path, body]) => (await fetch(`/api/v1/${path}`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID(), "Accept-Language": "zh-CN" } })).json(), [path, body])
  await ask(dev, `employees/${person.id}`, 'hr_admin', 'PATCH', { fields: { emergency_contact_phone: '13900004444' } })
  await post('step-ups', { password: dev.users.hr_admin.password })
  const look = await post(`employees/${person.id}/disclosures`, {
    fields: ['emergency_contact_phone'], purpose: 'medical_emergency', reason: '员工在车间晕倒，已送医院，需要通知家属',
    evidence: { what: '晕倒', when: new Date(Date.now() - 600_000).toISOString(), reported_by: '班组长' },
  })
  assert.equal(look.state, 'shown', JSON.stringify(look))

  // What came of it: what fits an emergency is offered.
  await page.goto(`${base}/console/people/${person.id}#looked`)
  await page.getByRole('button', { name: '登记结果' }).first().click()
  await page.getByRole('radio', { name: '已联系到家属' }).check()
  await page.getByRole('dialog').getByRole('button', { name: '登记结果' }).click()
  await page.getByText(/已联系家属|已联系到家属/).first().waitFor()
  await page.context().close()

  const reviewer = await pageOf(browser, dev, 'reviewer', { base })
  await reviewer.goto(`${base}/console/`)
  await reviewer.getByRole('button', { name: new RegExp(`^复核: .*${person.employee_no}`) }).click()
  await reviewer.getByText('员工在车间晕倒，已送医院，需要通知家属').waitFor()
  await reviewer.getByRole('radio', { name: '合规', exact: true }).check()
  await reviewer.getByRole('button', { name: '提交复核' }).click()
  await confirming(reviewer, dev, 'reviewer', reviewer.getByText('已提交').first())
  await until('it is reviewed', async () => (await ask(dev, `disclosures/${look.id}`, 'reviewer')).judgement.reviewed_at)
  await reviewer.context().close()
})
