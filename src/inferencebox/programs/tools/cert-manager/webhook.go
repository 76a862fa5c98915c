package main

import (
	"context"

	cmwebhook "github.com/cert-manager/cert-manager/internal/webhook"
	"github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
)

func webhook(ctx context.Context, flags *pflag.FlagSet, arguments []string) error {
	configuration, err := options.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	options.AddConfigFlags(flags, configuration)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if err := logs.ValidateAndApply(&configuration.Logging); err != nil {
		return err
	}
	log := klog.Background().WithName("webhook")
	server, err := cmwebhook.NewCertManagerWebhookServer(log, *configuration)
	if err != nil {
		return err
	}
	return server.Run(logs.NewContext(ctx, log))
}
