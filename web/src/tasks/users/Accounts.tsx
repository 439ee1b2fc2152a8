import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Checkbox, Drawer, Empty, Flex, Form, Input, Select, Skeleton, Table, Tag, Tooltip, Typography, Alert } from 'antd'
import { useEffect, useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { usePages } from '../../shell/pages'
import { PersonPicker } from '../../shell/person'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { useRoleTexts } from '../../shell/roles'
import { useShellTexts } from '../../shell/texts'
import { useWide } from '../../shell/wide'
import { useSettled } from '../people/List'
import { useUserTexts } from './texts'
import { UserDrawer } from './UserDrawer'

export type User = Schemas['UserView']

export const userColors: Record<User['state'], string> = { enrolling: 'gold', active: 'green', suspended: 'red', disabled: 'default' }

/** Who may log in here, and as what. */
export function Accounts() {
  const t = useUserTexts()
  const shell = useShellTexts()
  const wide = useWide()
  const me = useMe().data
  const roles = useRoleTexts()
  const manages = me?.role === 'hr_admin' || me?.role === 'it_ops'
  const [text, setText] = useState('')
  const [role, setRole] = useState<User['roles'][number]>()
  const [open, setOpen] = useState<string>()
  const [adding, setAdding] = useState(false)
  const q = useSettled(text)
  const list = usePages(['users', q], (cursor) => ok(api.GET('/api/v1/users', { params: { query: { cursor, limit: 50, q: q || undefined } } })))
  // The list has no filter by role: while one is chosen, all of what was found is read.
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list
  useEffect(() => {
    if (role && hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [role, hasNextPage, isFetchingNextPage, fetchNextPage])
  const rows = list.rows.filter((u) => !role || u.roles.includes(role))
  const marks = (u: User) => (
    <Flex gap={4} wrap>
      <Tag color={userColors[u.state]}>{u.state_text}</Tag>
      {!u.owner_confirmed && <Tooltip title={t('unconfirmedHint')}><Tag color="orange" tabIndex={0}>{t('unconfirmed')}</Tag></Tooltip>}
    </Flex>
  )
  const person = (u: User) => <span>{u.name} <Typography.Text type="secondary">{u.employee_no}</Typography.Text></span>
  return (
    <>
      <Flex justify="space-between" align="start" gap={12} wrap style={{ marginBottom: 12 }}>
        <Typography.Text type="secondary" style={{ flex: '1 1 300px' }}>{t('intro')}</Typography.Text>
        {manages && <Button type="primary" onClick={() => setAdding(true)}>{t('add')}</Button>}
      </Flex>
      <Flex gap={8} wrap style={{ marginBottom: 12 }}>
        <Input aria-label={t('find')} placeholder={t('find')} allowClear value={text} maxLength={100} onChange={(e) => setText(e.target.value)} style={{ flex: '1 1 200px', maxWidth: 320 }} />
        <Select aria-label={t('role')} allowClear placeholder={t('anyRole')} value={role} onChange={setRole} options={roles} style={{ minWidth: 150 }} />
      </Flex>
      <ProblemAlert error={list.error} retry={() => void list.refetch()} />
      {list.isPending && <Skeleton active />}
      {list.data && rows.length === 0 && <Card><Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('none')} /></Card>}
      {rows.length > 0 && wide && (
        <Table
          size="small"
          rowKey="id"
          dataSource={rows}
          pagination={false}
          columns={[
            { title: t('person'), render: (_, u) => person(u) },
            { title: t('login'), dataIndex: 'login' },
            { title: t('roles'), render: (_, u) => <Flex gap={4} wrap>{u.roles_text.map((r) => <Tag key={r}>{r}</Tag>)}</Flex> },
            { title: t('state'), render: (_, u) => marks(u) },
            { title: t('manage'), width: 90, render: (_, u) => <Button size="small" onClick={() => setOpen(u.id)} aria-label={`${t('manage')}: ${u.name} ${u.employee_no}`} autoInsertSpace={false}>{t('manage')}</Button> },
          ]}
        />
      )}
      {rows.length > 0 && !wide && (
        <Flex vertical gap={8}>
          {rows.map((u) => (
            <Card size="small" key={u.id}>
              <Flex justify="space-between" gap={8} wrap>
                {person(u)}
                {marks(u)}
              </Flex>
              <Flex justify="space-between" gap={8} wrap align="end" style={{ marginTop: 6 }}>
                <Flex gap={4} wrap>{u.roles_text.map((r) => <Tag key={r}>{r}</Tag>)}</Flex>
                <Button size="small" onClick={() => setOpen(u.id)} aria-label={`${t('manage')}: ${u.name} ${u.employee_no}`} autoInsertSpace={false}>{t('manage')}</Button>
              </Flex>
            </Card>
          ))}
        </Flex>
      )}
      {hasNextPage && <Button block style={{ marginTop: 12 }} loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>{shell('more')}</Button>}
      <UserDrawer id={open} close={() => setOpen(undefined)} manages={manages} />
      <NewUser open={adding} close={() => setAdding(false)} />
    </>
  )
}

function NewUser({ open, close }: { open: boolean; close: () => void }) {
  const t = useUserTexts()
  const roles = useRoleTexts()
  const outcome = useOutcome()
  const client = useQueryClient()
  const [form] = Form.useForm<Schemas['NewUserBody']>()
  const [error, setError] = useState<unknown>()
  const ask = useMutation({
    mutationFn: (body: Schemas['NewUserBody']) => ok(api.POST('/api/v1/users', { body })),
    onMutate: () => setError(undefined),
    onSuccess: async (answer) => {
      outcome(answer)
      form.resetFields()
      close()
      await client.invalidateQueries({ queryKey: ['approvals'] })
    },
    onError: (refused) => {
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  return (
    <Drawer
      open={open}
      onClose={close}
      title={t('addTitle')}
      size={480}
      mask={{ closable: false }}
      footer={
        <Flex justify="end" gap={8}>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button type="primary" loading={ask.isPending} onClick={() => form.submit()}>{t('send')}</Button>
        </Flex>
      }
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        disabled={ask.isPending}
        onFinish={(v) => ask.mutate({ ...v, login: v.login.trim(), approval_reason: v.approval_reason?.trim() || undefined })}
      >
        <Form.Item name="employee_id" label={t('person')} rules={[{ required: true, message: t('choosePerson') }]}>
          <Picker onNumber={(no) => !form.isFieldTouched('login') && form.setFieldValue('login', no.toLowerCase())} />
        </Form.Item>
        <Form.Item name="login" label={t('login')} extra={t('loginHint')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
          <Input maxLength={100} autoComplete="off" />
        </Form.Item>
        <Form.Item name="roles" label={t('roles')} rules={[{ validator: (_, v?: string[]) => (v?.length ? Promise.resolve() : Promise.reject(new Error(t('chooseRole')))) }]}>
          <Checkbox.Group options={roles} />
        </Form.Item>
        <Form.Item name="approval_reason" label={t('reasonForSecond')} extra={t('reasonHint')}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(500)} />
        </Form.Item>
        <Flex vertical gap={12}>
          <Alert type="info" showIcon title={t('addWill')} />
          <ProblemAlert error={error} />
        </Flex>
      </Form>
    </Drawer>
  )
}

/** The person of a new user; the number is offered as login. */
function Picker({ onNumber, onChange, ...rest }: { id?: string; value?: string; onChange?: (id: string | undefined) => void; onNumber: (no: string) => void }) {
  return (
    <PersonPicker
      {...rest}
      onChange={(id, person) => {
        if (person) onNumber(person.employee_no)
        onChange?.(id)
      }}
    />
  )
}
