import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Collapse, Flex, Skeleton, Tag, Timeline, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert } from '../../shell/problems'
import { When } from '../../shell/times'
import { useTexts } from './texts'

/** What the company asks to agree to, purpose by purpose; withdrawn as easily as given. */
export function Consents() {
  const t = useTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const consents = useQuery({ queryKey: ['consents'], queryFn: () => ok(api.GET('/api/v1/consents')) })
  const policies = useQuery({ queryKey: ['policies'], queryFn: () => ok(api.GET('/api/v1/privacy-policies')) })
  const answer = useMutation({
    mutationFn: (given: { purpose: Schemas['Consent']['purpose']; agreed: boolean; version: number }) =>
      ok(api.POST('/api/v1/consents', { body: { policy_version: given.version, answers: [{ purpose: given.purpose, agreed: given.agreed }] } })),
    onSuccess: () => {
      void message.success(t('saved'))
      void client.invalidateQueries({ queryKey: ['consents'] })
      void client.invalidateQueries({ queryKey: ['me'] })
    },
  })
  if (consents.isPending) return <Skeleton active />
  if (consents.error) return <ProblemAlert error={consents.error} retry={() => void consents.refetch()} />
  const policy = policies.data?.items.find((p) => p.in_force)
  const say = (purpose: Schemas['Consent']['purpose'], agreed: boolean) => answer.mutate({ purpose, agreed, version: consents.data.policy_version })
  return (
    <Flex vertical gap={12}>
      <Typography.Text>{t('consentsHint')}</Typography.Text>
      <ProblemAlert error={answer.error} />
      {consents.data.items.map((c) => (
        <Card key={c.purpose} size="small" title={c.purpose_text} extra={<Tag color={c.state === 'given' ? 'green' : undefined}>{c.state_text}</Tag>}>
          <p>{c.ask}</p>
          {c.last && (
            <p>
              <Typography.Text type="secondary">
                {c.last.answer_text} · <When at={c.last.answered_at} /> · {c.last.form_text}
              </Typography.Text>
            </p>
          )}
          <Flex gap={8} wrap>
            {c.state === 'given' ? (
              <Button onClick={() => say(c.purpose, false)} loading={answer.isPending}>
                {t('withdraw')}
              </Button>
            ) : (
              <>
                <Button type={c.to_answer ? 'primary' : 'default'} onClick={() => say(c.purpose, true)} loading={answer.isPending}>
                  {t('agree')}
                </Button>
                {c.to_answer && (
                  <Button onClick={() => say(c.purpose, false)} disabled={answer.isPending}>
                    {t('decline')}
                  </Button>
                )}
              </>
            )}
          </Flex>
        </Card>
      ))}
      <Collapse
        items={[
          ...(policy
            ? [
                {
                  key: 'policy',
                  label: t('policy', { version: policy.version }),
                  children: (
                    <>
                      <Typography.Paragraph style={{ whiteSpace: 'pre-line' }}>{policy.text}</Typography.Paragraph>
                      <Typography.Title level={5}>{t('basis')}</Typography.Title>
                      <ul>
                        {policy.without_consent.map((b) => (
                          <li key={b.purpose}>
                            {b.purpose_text}: {b.basis}
                          </li>
                        ))}
                      </ul>
                    </>
                  ),
                },
              ]
            : []),
          {
            key: 'history',
            label: t('history'),
            children: (
              <Timeline
                items={consents.data.history.map((a) => ({
                  content: (
                    <>
                      {a.purpose_text} · {a.answer_text} · <When at={a.answered_at} /> · {a.form_text}
                    </>
                  ),
                }))}
              />
            ),
          },
        ]}
      />
    </Flex>
  )
}
