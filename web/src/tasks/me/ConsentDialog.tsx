import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Collapse, Flex, Modal, Radio, Skeleton, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { ProblemAlert } from '../../shell/problems'
import { useTexts } from './texts'

type Purpose = Schemas['Consent']['purpose']

const KEY = 'lethe.consents.later'

/**
 * What the privacy policy asks and nobody answered yet, asked at the login. Nothing is chosen beforehand; later is an
 * answer too, for this session, and what is left open is asked for again at the next one.
 */
export default function ConsentDialog({ me }: { me: Schemas['Me'] }) {
  const t = useTexts()
  const client = useQueryClient()
  const { message } = App.useApp()
  const session = me.session?.created_at ?? ''
  const [later, setLater] = useState(() => sessionStorage.getItem(KEY) === session)
  const [chosen, setChosen] = useState<Partial<Record<Purpose, boolean>>>({})
  const consents = useQuery({ queryKey: ['consents'], enabled: !later, queryFn: () => ok(api.GET('/api/v1/consents')) })
  const policies = useQuery({ queryKey: ['policies'], enabled: !later, queryFn: () => ok(api.GET('/api/v1/privacy-policies')) })
  const asked = consents.data?.items.filter((c) => c.to_answer) ?? []
  const answers = asked.flatMap((c) => (chosen[c.purpose] === undefined ? [] : [{ purpose: c.purpose, agreed: chosen[c.purpose]! }]))
  const close = () => {
    sessionStorage.setItem(KEY, session)
    setLater(true)
  }
  const send = useMutation({
    mutationFn: () => ok(api.POST('/api/v1/consents', { body: { policy_version: consents.data!.policy_version, answers } })),
    onSuccess: () => {
      close()
      void message.success(t('saved'))
      void client.invalidateQueries({ queryKey: ['consents'] })
      void client.invalidateQueries({ queryKey: ['me'] })
    },
    onError: () => void consents.refetch(), // another version is in force by now
  })
  const policy = policies.data?.items.find((p) => p.in_force)
  return (
    <Modal
      open={!later}
      onCancel={close}
      width={600}
      mask={{ closable: false }}
      title={t('askTitle')}
      footer={
        <Flex gap={8} justify="end" wrap>
          <Button onClick={close} disabled={send.isPending}>
            {t('later')}
          </Button>
          <Button type="primary" onClick={() => send.mutate()} loading={send.isPending} disabled={answers.length === 0}>
            {t('answerNow')}
          </Button>
        </Flex>
      }
    >
      <Flex vertical gap={16}>
        <span>{t('askIntro')}</span>
        {consents.isPending && <Skeleton active />}
        <ProblemAlert error={consents.error ?? send.error} retry={consents.error ? () => void consents.refetch() : undefined} />
        {asked.map((c) => (
          <Flex vertical gap={4} key={c.purpose} role="group" aria-label={c.purpose_text}>
            <strong className="sentence">{c.purpose_text}</strong>
            <span>{c.ask}</span>
            {c.last && <Typography.Text type="secondary">{t('askedAgain')}</Typography.Text>}
            <Radio.Group
              aria-label={c.purpose_text}
              disabled={send.isPending}
              value={chosen[c.purpose]}
              onChange={(e) => setChosen({ ...chosen, [c.purpose]: e.target.value as boolean })}
              options={[
                { value: true, label: t('agree') },
                { value: false, label: t('decline') },
              ]}
            />
          </Flex>
        ))}
        {policy && (
          <Collapse
            size="small"
            items={[{ key: 'policy', label: t('policy', { version: policy.version }), children: <Typography.Paragraph style={{ whiteSpace: 'pre-line', margin: 0 }}>{policy.text}</Typography.Paragraph> }]}
          />
        )}
      </Flex>
    </Modal>
  )
}
