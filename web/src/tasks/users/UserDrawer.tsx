import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Descriptions, Drawer, Flex, Form, Input, Modal, Select, Skeleton, Space, Tag, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { ProblemAlert, showInForm } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { useRoleTexts } from '../../shell/roles'
import { When } from '../../shell/times'
import { HalfOfCode } from '../approvals/HalfOfCode'
import { userColors, type User } from './Accounts'
import { useUserTexts } from './texts'

type Role = User['roles'][number]
type Step = { kind: 'grant' | 'reset' | 'disable' | 'link' } | { kind: 'take'; role: Role }

/** One user: roles, credentials, the end of the access. */
export function UserDrawer({ id, close, manages }: { id?: string; close: () => void; manages: boolean }) {
  const t = useUserTexts()
  const me = useMe().data
  const [step, setStep] = useState<Step>()
  const found = useQuery({ queryKey: ['users', 'one', id], enabled: !!id, queryFn: () => ok(api.GET('/api/v1/users/{id}', { params: { path: { id: id! } } })) })
  const u = found.data
  const who = u ? `${u.name} (${u.employee_no})` : ''
  return (
    <Drawer open={!!id} onClose={close} title={who || t('title')} size={480} destroyOnHidden>
      {found.isPending && <Skeleton active />}
      <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      {u && (
        <Flex vertical gap={16}>
          <Descriptions
            column={1}
            size="small"
            items={[
              { key: 'login', label: t('login'), children: u.login },
              { key: 'state', label: t('state'), children: <Tag color={userColors[u.state]}>{u.state_text}</Tag> },
              { key: 'password', label: t('password'), children: t(u.password ? 'set' : 'notSet') },
              { key: 'totp', label: t('totp'), children: t(u.totp ? 'set' : 'notSet') },
              { key: 'since', label: t('since'), children: <When at={u.created_at} /> },
            ]}
          />
          {!u.owner_confirmed && <Alert type="warning" showIcon title={t('unconfirmed')} description={t('unconfirmedHint')} />}
          <Card size="small" title={<h2 className="card-title">{t('roles')}</h2>} extra={manages && <Button size="small" onClick={() => setStep({ kind: 'grant' })}>{t('grant')}</Button>}>
            <Flex vertical gap={8}>
              {u.roles.length === 0 && <Typography.Text type="secondary">{t('noRoles')}</Typography.Text>}
              {u.roles.map((role, i) => (
                <Flex key={role} justify="space-between" align="center" gap={8}>
                  <span>{u.roles_text[i]}</span>
                  {manages && <Button size="small" autoInsertSpace={false} aria-label={t('take', { role: u.roles_text[i]! })} onClick={() => setStep({ kind: 'take', role })}>{t('takeShort')}</Button>}
                </Flex>
              ))}
            </Flex>
          </Card>
          {u.state === 'enrolling' && manages && <HalfOfCode user={u.id} />}
          {me?.role !== 'it_ops' && <Logins of={u} unlinks={me?.role === 'hr_admin'} link={manages ? () => setStep({ kind: 'link' }) : undefined} />}
          {manages ? (
            <Space wrap>
              <Button onClick={() => setStep({ kind: 'reset' })}>{t('reset')}</Button>
              {u.state !== 'disabled' && <Button danger onClick={() => setStep({ kind: 'disable' })}>{t('disable')}</Button>}
            </Space>
          ) : (
            <Typography.Text type="secondary">{t('readOnly')}</Typography.Text>
          )}
          <StepForm of={u} step={step} close={() => setStep(undefined)} who={who} />
        </Flex>
      )}
    </Drawer>
  )
}

interface Values {
  role?: Role
  issuer?: string
  subject?: string
  approval_reason?: string
}

/** Says what a step will do, before it is sent. */
function StepForm({ of: u, step, close, who }: { of: User; step?: Step; close: () => void; who: string }) {
  const t = useUserTexts()
  const roles = useRoleTexts()
  const { message } = App.useApp()
  const outcome = useOutcome()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const [error, setError] = useState<unknown>()
  const path = { id: u.id }
  const kind = step?.kind ?? 'grant'
  const taken = step?.kind === 'take' ? roles.find((r) => r.value === step.role)?.label ?? '' : ''
  const run = useMutation({
    mutationFn: async (v: Values): Promise<Schemas['ApprovalView'] | undefined> => {
      const approval_reason = v.approval_reason?.trim() || undefined
      switch (step!.kind) {
        case 'grant': return ok(api.POST('/api/v1/users/{id}/roles', { params: { path }, body: { role: v.role!, approval_reason } }))
        case 'reset': return ok(api.POST('/api/v1/users/{id}/reset', { params: { path }, body: { approval_reason } }))
        case 'link': return ok(api.POST('/api/v1/users/{id}/logins', { params: { path }, body: { issuer: v.issuer!.trim(), subject: v.subject!.trim(), approval_reason } }))
        case 'disable': return ok(api.POST('/api/v1/users/{id}/disabling', { params: { path } }))
        case 'take': return ok(api.DELETE('/api/v1/users/{id}/roles/{role}', { params: { path: { id: u.id, role: (step as { role: Role }).role } } }))
      }
    },
    onMutate: () => setError(undefined),
    onSuccess: async (answer) => {
      if (answer) outcome(answer)
      else void message.success(t(kind === 'take' ? 'taken' : 'disabled'))
      close()
      await client.invalidateQueries({ queryKey: ['users'] })
      await client.invalidateQueries({ queryKey: ['approvals'] })
    },
    onError: (refused) => {
      if (!showInForm(form, refused)) setError(refused)
    },
  })
  const title = { grant: t('grant'), reset: t('reset'), disable: t('disable'), link: t('linkLogin'), take: t('take', { role: taken }) }[kind]
  const will = { grant: t('grantHint'), reset: t('resetWill', { who }), disable: t('disableWill', { who }), link: t('linkHint'), take: t('takeWill', { who, role: taken }) }[kind]
  const asks = kind === 'grant' || kind === 'reset' || kind === 'link'
  const dangerous = kind === 'reset' || kind === 'disable' || kind === 'take'
  return (
    <Modal
      open={!!step}
      title={title}
      okText={asks ? t('send') : kind === 'take' ? t('takeShort') : t('disable')}
      okButtonProps={{ danger: dangerous }}
      cancelText={t('cancel')}
      confirmLoading={run.isPending}
      onOk={() => form.submit()}
      onCancel={close}
      mask={{ closable: false }}
      destroyOnHidden
      afterClose={() => setError(undefined)}
    >
      <p>{will}</p>
      {kind === 'take' && u.roles.length === 1 && <Alert type="warning" showIcon title={t('lastRole')} style={{ marginBottom: 12 }} />}
      <Form form={form} layout="vertical" preserve={false} requiredMark={false} disabled={run.isPending} onFinish={(v) => run.mutate(v)}>
        {kind === 'grant' && (
          <Form.Item name="role" label={t('role')} rules={[{ required: true, message: t('chooseRole') }]}>
            <Select options={roles.filter((r) => !u.roles.includes(r.value))} />
          </Form.Item>
        )}
        {kind === 'link' && (
          <>
            <Form.Item name="issuer" label={t('issuer')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
              <Input autoComplete="off" placeholder="https://" />
            </Form.Item>
            <Form.Item name="subject" label={t('subject')} rules={[{ required: true, whitespace: true, message: t('required') }]}>
              <Input autoComplete="off" />
            </Form.Item>
          </>
        )}
        {asks && (
          <Form.Item name="approval_reason" label={t('reasonForSecond')} extra={t('reasonHint')}>
            <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(500)} />
          </Form.Item>
        )}
      </Form>
      <ProblemAlert error={error} />
    </Modal>
  )
}

/** The company's logins that open a user. */
function Logins({ of: u, unlinks, link }: { of: User; unlinks: boolean; link?: () => void }) {
  const t = useUserTexts()
  const { message, modal } = App.useApp()
  const logins = useQuery({ queryKey: ['users', 'logins', u.id], queryFn: () => ok(api.GET('/api/v1/users/{id}/logins', { params: { path: { id: u.id } } })) })
  const unlink = useMutation({
    mutationFn: (link_id: string) => ok(api.DELETE('/api/v1/users/{id}/logins/{link_id}', { params: { path: { id: u.id, link_id } } })),
    onSuccess: () => void message.success(t('unlinked')),
    onSettled: () => logins.refetch(),
  })
  return (
    <Card size="small" title={<h2 className="card-title">{t('companyLogins')}</h2>} extra={link && <Button size="small" onClick={link}>{t('linkLogin')}</Button>}>
      <ProblemAlert error={logins.error ?? unlink.error} />
      {logins.data?.items.length === 0 && <Typography.Text type="secondary">{t('noCompanyLogins')}</Typography.Text>}
      {logins.data?.items.map((l) => (
        <Flex key={l.id} justify="space-between" gap={8} wrap>
          <span style={{ overflowWrap: 'anywhere' }}>{l.issuer} · {l.subject} <Tag color={l.confirmed_at ? 'green' : 'gold'}>{t(l.confirmed_at ? 'confirmedLogin' : 'unconfirmedLogin')}</Tag></span>
          {unlinks && (
            <Button size="small" danger onClick={() => void modal.confirm({ title: t('unlink'), content: t('unlinkWill'), okText: t('unlink'), okButtonProps: { danger: true }, cancelText: t('cancel'), onOk: () => { unlink.mutate(l.id) } })}>
              {t('unlink')}
            </Button>
          )}
        </Flex>
      ))}
    </Card>
  )
}
