import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Flex, Form, Input, Modal, Popconfirm, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { Link, useParams } from 'react-router'

import { api, ok, type Schemas } from '../../api/client'
import { useEvents } from '../../shell/events'
import { Heading } from '../../shell/Heading'
import { longest } from '../../shell/longest'
import { useMe } from '../../shell/me'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { useOutcome } from '../../shell/request'
import { State } from '../../shell/state'
import { useShellTexts } from '../../shell/texts'
import { instant, useNow, When } from '../../shell/times'
import { CutState, standing, useHasUser } from './state'
import { useCutTexts, useDuration } from './texts'

type Cut = Schemas['AccessCut']

export default function Detail() {
  const t = useCutTexts()
  const { id = '' } = useParams()
  const client = useQueryClient()
  const found = useQuery({ queryKey: ['cuts', 'one', id], gcTime: 0, queryFn: () => ok(api.GET('/api/v1/access-cuts/{id}', { params: { path: { id } } })) })
  useEvents(id ? `/api/v1/access-cuts/${id}/events` : undefined, () => void client.invalidateQueries({ queryKey: ['cuts', 'one', id] }), ['snapshot', 'changed'])
  if (found.isPending) return <><Heading>{t('title')}</Heading><Skeleton active /></>
  if (!found.data) return <><Heading>{t('title')}</Heading><ProblemAlert error={found.error} retry={() => void found.refetch()} /></>
  const c = found.data
  const name = c.person ? `${c.person.name} ${c.person.employee_no}` : ''
  return (
    <Flex vertical gap={16} style={{ maxWidth: 760 }}>
      <div>
        <Link to="/cuts">← {t('back')}</Link>
        <Flex gap={12} align="center" wrap style={{ marginTop: 8 }}>
          <Heading style={{ margin: 0 }}>{t('heading', { person: name })}</Heading>
          <CutState of={c} />
        </Flex>
        <Typography.Text type="secondary">
          {t('ordered', { who: c.ordered_by?.name ?? '' })} · <When at={c.ordered_at} /> · <Link to={`/people/${c.employee_id}`}>{t('file')}</Link>
        </Typography.Text>
      </div>
      {c.reason && <Typography.Paragraph style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', margin: 0 }}>{t('reasonWas')}{c.reason}</Typography.Paragraph>}
      <Systems of={c} />
      {standing(c) && <Next of={c} />}
      {c.state === 'lifted' && <Alert type="success" showIcon title={t('lifted', { who: c.lifted_by?.name ?? '', second: c.lifted_with?.name ?? '' })} />}
      {standing(c) && (
        <Card size="small" title={<h2 className="card-title">{t('hand')}</h2>}>
          {c.by_hand.length === 0 && <Typography.Text type="secondary">{t('handEmpty')}</Typography.Text>}
          {c.by_hand.map((h) => (
            <Flex key={h.name} justify="space-between" gap={12} wrap style={{ padding: '6px 0' }}>
              <Typography.Text strong>{h.name}</Typography.Text>
              <span>
                {t('call')} {h.call}
              </span>
            </Flex>
          ))}
        </Card>
      )}
    </Flex>
  )
}

/** What was read back of each system; nothing is called off that was not. */
function Systems({ of: c }: { of: Cut }) {
  const t = useCutTexts()
  const duration = useDuration()
  const hasUser = useHasUser(c)
  const stands = c.state !== 'lifted' // what ended with the employment stays closed
  const total = c.off + c.still_on
  return (
    <Card size="small" title={<h2 className="card-title" role="status" aria-live="polite">{!stands ? t('afterwards') : c.still_on === 0 ? t('allOff') : t('progress', { off: c.off, total })}</h2>}>
      <Flex justify="space-between" gap={12} wrap style={{ padding: '6px 0' }}>
        <Typography.Text strong>{t('lethe')}</Typography.Text>
        {hasUser ? (
          <State tone={c.own_access_off ? (stands ? 'good' : 'calm') : stands ? 'bad' : 'good'}>{t(c.own_access_off ? (stands ? 'letheOff' : 'letheNo') : stands ? 'letheOn' : 'letheBack')}</State>
        ) : (
          <State tone="calm">{t('noUser')}</State>
        )}
      </Flex>
      {c.accounts.map((a) => (
        <div key={a.account_id} data-system={a.system} style={{ padding: '6px 0' }}>
          <Flex justify="space-between" gap={12} wrap>
            <Typography.Text strong>{a.system_text.charAt(0).toUpperCase() + a.system_text.slice(1)}</Typography.Text>
            <State tone={a.off === stands ? 'good' : 'bad'}>{a.result_text}</State>
          </Flex>
          <Flex justify="space-between" gap={12} wrap>
            <Typography.Text type="secondary">
              {a.off && (a.seconds !== undefined ? (a.seconds === 0 ? t('atOnce') : t('seconds', { time: duration(a.seconds) })) : stands ? t('before') : '')}
              {!a.off && stands && (a.stuck_reason_text || (a.tries > 0 ? t('tries', { tries: a.tries }) : a.state_text))}
            </Typography.Text>
            {a.support_case_id && <Link to={`/cases/${a.support_case_id}`}>{t('ticket')}</Link>}
          </Flex>
        </div>
      ))}
    </Card>
  )
}

/** Who has to do what now. */
function Next({ of: c }: { of: Cut }) {
  const t = useCutTexts()
  const shell = useShellTexts()
  const me = useMe().data
  const client = useQueryClient()
  const { message } = App.useApp()
  const [opening, setOpening] = useState(false)
  const late = Date.parse(c.confirm_due_at) <= useNow()
  const again = (made: Cut) => {
    client.setQueryData(['cuts', 'one', c.id], made)
    void client.invalidateQueries({ queryKey: ['cuts', 'list'] })
    void client.invalidateQueries({ queryKey: ['home'] })
  }
  const params = { params: { path: { id: c.id } } }
  const confirm = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/access-cuts/{id}/confirmation', params)),
    onSuccess: (made) => {
      again(made)
      void message.success(made.state_text)
    },
  })
  const tell = useMutation({ mutationFn: () => ok(api.POST('/api/v1/access-cuts/{id}/telling', params)), onSuccess: again })
  const role = me?.role
  const acts = role === 'hr_admin' || role === 'it_ops'
  const ordered = c.ordered_by?.employee_id === me?.employee_id
  const mayConfirm = (role === 'hr_admin' || role === 'reviewer') && !ordered
  return (
    <Card size="small" title={<h2 className="card-title">{t('act')}</h2>}>
      <Flex vertical gap={12}>
        {c.state === 'unconfirmed' && (
          <Alert
            type={late ? 'error' : 'warning'} showIcon
            title={t(late ? 'confirmLate' : 'confirmWait', { until: instant(c.confirm_due_at) })}
            description={mayConfirm ? t('confirmMeans') : undefined}
          />
        )}
        {c.confirmed_by && <span>{t('confirmedBy', { who: c.confirmed_by.name })}{c.confirmed_at && <> · <When at={c.confirmed_at} /></>}</span>}
        <span>{c.told_at ? t('told', { who: c.told_by?.name ?? '' }) : t('notTold')}</span>
        {c.lift_request_id && <Alert type="info" showIcon title={t('lifting')} action={<Link to={`/approvals/${c.lift_request_id}`}>{t('liftOpen')}</Link>} />}
        <ProblemAlert error={confirm.error ?? tell.error} />
        <Flex gap={8} wrap>
          {c.state === 'unconfirmed' && mayConfirm && (
            <Button type="primary" loading={confirm.isPending} onClick={() => confirm.mutate()}>
              {t('confirm')}
            </Button>
          )}
          {acts && !c.told_at && (
            <Popconfirm title={t('tellSure')} okText={t('tell')} cancelText={shell('cancel')} styles={{ root: { maxWidth: 340 } }} onConfirm={() => tell.mutate()}>
              <Button loading={tell.isPending}>{t('tell')}</Button>
            </Popconfirm>
          )}
          {acts && !c.lift_request_id && <Button onClick={() => setOpening(true)}>{t('lift')}</Button>}
        </Flex>
      </Flex>
      <Lift of={c} open={opening} close={() => setOpening(false)} />
    </Card>
  )
}

function Lift({ of: c, open, close }: { of: Cut; open: boolean; close: () => void }) {
  const t = useCutTexts()
  const client = useQueryClient()
  const outcome = useOutcome()
  const ask = useMutation({
    mutationFn: (v: { approval_reason?: string }) => ok(api.POST('/api/v1/access-cuts/{id}/lifting', { params: { path: { id: c.id } }, body: { approval_reason: v.approval_reason || undefined } })),
    onSuccess: (answer) => {
      outcome(answer)
      close()
      void client.invalidateQueries({ queryKey: ['cuts'] })
    },
  })
  return (
    <Modal open={open} title={t('lift')} footer={null} onCancel={close} destroyOnHidden mask={{ closable: false }}>
      <Form layout="vertical" preserve={false} onFinish={(v: { approval_reason?: string }) => ask.mutate(v)}>
        <Typography.Paragraph>{t('liftWhat')}</Typography.Paragraph>
        <Typography.Paragraph><Person of={c.person} /></Typography.Paragraph>
        <Form.Item name="approval_reason" label={t('liftReason')}>
          <Input.TextArea rows={2} count={longest(500)} />
        </Form.Item>
        <ProblemAlert error={ask.error} />
        <Button type="primary" htmlType="submit" loading={ask.isPending}>
          {t('lift')}
        </Button>
      </Form>
    </Modal>
  )
}
