import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Descriptions, Flex, Skeleton, Tag, Typography } from 'antd'

import { api, ok } from '../../api/client'
import { ProblemAlert } from '../../shell/problems'
import { Ago, When } from '../../shell/times'
import { useUserTexts } from './texts'

/** A browser's own description, as short as it still tells something. */
function device(agent: string) {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\/[\d.]+/.exec(agent)?.[0].replace('Edg/', 'Edge/').replace(/(\/\d+).*/, '$1').replace('/', ' ')
  const system = /Windows|Mac OS|Android|iPhone|iPad|Linux/.exec(agent)?.[0]
  return browser ? [browser, system].filter(Boolean).join(' · ') : agent.slice(0, 80)
}

/** Where the person is logged in. */
export function Sessions() {
  const t = useUserTexts()
  const { message, modal } = App.useApp()
  const client = useQueryClient()
  const sessions = useQuery({ queryKey: ['sessions', 'own'], queryFn: () => ok(api.GET('/api/v1/sessions')) })
  const end = useMutation({
    mutationFn: (id: string) => ok(api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } })),
    onSuccess: () => void message.success(t('ended')),
    onSettled: () => client.invalidateQueries({ queryKey: ['sessions'] }),
  })
  return (
    <div style={{ maxWidth: 760 }}>
      <Typography.Paragraph type="secondary">{t('sessionsHint')}</Typography.Paragraph>
      <ProblemAlert error={sessions.error ?? end.error} retry={() => void sessions.refetch()} />
      {sessions.isPending && <Skeleton active />}
      <Flex vertical gap={12}>
        {sessions.data?.items.map((s) => (
          <Card
            key={s.id}
            size="small"
            title={<h2 className="card-title">{device(s.agent) || s.address}</h2>}
            extra={
              s.current ? <Tag color="green">{t('current')}</Tag> : (
                <Button size="small" danger onClick={() => void modal.confirm({ title: t('end'), content: t('endWill'), okText: t('end'), okButtonProps: { danger: true }, cancelText: t('cancel'), onOk: () => { end.mutate(s.id) } })}>
                  {t('end')}
                </Button>
              )
            }
          >
            <Descriptions
              column={{ xs: 1, md: 2 }}
              size="small"
              items={[
                { key: 'role', label: t('role'), children: s.role_text },
                { key: 'address', label: t('address'), children: s.address },
                { key: 'began', label: t('began'), children: <span><When at={s.created_at} /> · {s.authenticated_text}</span> },
                { key: 'seen', label: t('seen'), children: <Ago at={s.seen_at} /> },
                { key: 'ends', label: t('ends'), children: <When at={s.expires_at} /> },
              ]}
            />
          </Card>
        ))}
      </Flex>
    </div>
  )
}
